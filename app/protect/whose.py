"""Whose attribute a longer name speaks of: `applicant_age` of a person's, `account_age` of a thing's."""

from __future__ import annotations

from collections.abc import Mapping

from app.protect.word_sets import word_set

# Words for people, in the singular.
PEOPLE = word_set(
    "applicant coapplicant borrower coborrower customer consumer client patient candidate user employee worker person "
    "driver owner coowner member student pupil guarantor cosigner signatory spouse husband wife mother father parent "
    "child children son daughter sibling brother sister family relative kin guardian caregiver dependent dependant "
    "holder cardholder policyholder accountholder shareholder insured beneficiary claimant defendant plaintiff "
    "offender victim suspect witness inmate prisoner tenant renter resident citizen individual subject participant "
    "respondent buyer seller payer payee debtor creditor author reviewer rater teacher doctor physician nurse manager "
    "supervisor donor recipient sender receiver caller passenger traveller traveler guest visitor subscriber voter "
    "immigrant refugee partner man woman baby infant maternal paternal personal self own my his her your contact head "
    "people antragsteller kunde kundin kunden patientin cliente paciente solicitante asegurado titular madre padre "
    "demandeur emprunteur assure mere pere titulaire richiedente enduser"
)
# What is a person's own only with these attributes: `home_zip`, but not `home_age`.
_PLACES = word_set(
    "home work private current previous permanent mailing billing shipping primary secondary legal emergency "
    "residential correspondence delivery business daytime evening"
)
_AT_PLACES = frozenset(("address", "contact"))
# What has an age, a name, an address or a photo of its own.
THINGS = word_set(
    "account accounts loan loans vehicle car truck property house building apartment home asset product item file "
    "folder document page image model feature column field table variable dataset company firm employer organisation "
    "organization business school university bank branch merchant vendor store shop brand project task job queue plan "
    "policy contract application app service server system host domain network device browser session event process "
    "function class method module package library tool agent segment group category campaign type city country state "
    "region street road county credit card tradeline line trade history record report case claim order invoice "
    "payment transaction debt inquiry enquiry relationship tenure machine equipment battery engine crop tree animal "
    "pet cohort stock inventory ticket message request customer_id code disease drug medication procedure diagnosis "
    "test lab unit ward department hospital center centre action step operation method workflow stage template metric "
    "parameter argument option skill intent endpoint"
)
# With these behind, a name speaks about an attribute without giving it away: `address_verified`, `contact_center`.
_ABOUT = word_set(
    "verified verification verify valid validated validation confirmed match matches matched mismatch count counts "
    "number_of length changed change changes check checked provided given missing missingness known center centre "
    "limit condition conditions time times track tracks distance wait quality score rate rates ratio type format "
    "language attempts attempt"
)
# Attributes that only people have: hidden in any longer name.
_PEOPLES_OWN = word_set(
    "race sex gender ethnicity ethnic religion religious nationality citizenship dob birthdate birthday birthplace "
    "surname forename pronouns pronoun geschlecht geburtsdatum sexo sexe naissance nacimiento nascita apellido "
    "apellidos prenom vorname nachname edad ssn passport marital pregnant disabled"
)
_SHORT_FOR = {"ethnic": "ethnicity", "religious": "religion", "naissance": "age", "nacimiento": "age", "nascita": "age",
              "marital": "marital status"}  # fmt: skip
_GLUE = word_set("s the a an of is de del des du della do da la le")
# Longer names say too many things at once to be told apart by these rules.
_LONGEST_NAME = 12
# From so many letters on a word for a person is seen in front of an attribute without a separator.
_LONG_PERSON = 4


def of_a_person(
    words: tuple[str, ...], by_name: Mapping[str, str], by_joined_name: Mapping[str, str], longest: int
) -> str | None:
    """The attribute (`by_name`, in words joined by `_`, of at most `longest` words) that a name says of a person."""
    words = words[:_LONGEST_NAME]
    if len(words) == 1:
        return _joined(words[0], by_joined_name)
    for size in range(min(longest, len(words) - 1), 0, -1):
        for at in range(len(words) - size + 1):
            phrase = "_".join(words[at : at + size])
            attribute = by_name.get(phrase) or _SHORT_FOR.get(phrase)
            if attribute and _is_whose(attribute, phrase, words, at, at + size):
                return attribute
    return None


def _is_whose(attribute: str, phrase: str, words: tuple[str, ...], at: int, end: int) -> bool:
    """Whether the attribute at `at:end` is a person's."""
    before = next((word for word in reversed(words[:at]) if word not in _GLUE), "")
    after = words[end] if end < len(words) else ""
    if after in _ABOUT:
        return False
    if attribute in _AT_PLACES and before in _PLACES:
        return True
    if is_a_thing(before):
        return False
    if phrase in _PEOPLES_OWN or "_" in phrase:
        return True
    if after == "of" or (after in _GLUE and "of" in words[end : end + 2]):
        # Of the words behind, the last says what is meant: `age of the customer's account`.
        last = next((word for word in reversed(words) if word not in _GLUE and not word.isdigit()), "")
        return not is_a_thing(last) and last != phrase
    if is_a_thing(after) and attribute != "age" and after not in ("code", "group"):
        return False
    return any(_is_person(word) for word in (*words[:at], *words[end:]))


def is_of_a_thing(words: tuple[str, ...], at: int, end: int) -> bool:
    """Whether the attribute at `at:end` is a thing's: `account_age`, `age of the vehicle`."""
    before = next((word for word in reversed(words[:at]) if word not in _GLUE), "")
    if is_a_thing(before):
        return True
    if "of" not in words[end : end + 2]:
        return False
    last = next((word for word in reversed(words) if word not in _GLUE and not word.isdigit()), "")
    return is_a_thing(last) and not any(_is_person(word) for word in words[end:])


def _is_person(word: str) -> bool:
    return word in PEOPLE or (word.endswith("s") and word[:-1] in PEOPLE)


def is_a_thing(word: str) -> bool:
    """Whether a word is for a thing: `vehicle`, `accounts`."""
    return word in THINGS or (word.endswith("s") and word[:-1] in THINGS)


def _joined(word: str, by_joined_name: Mapping[str, str]) -> str | None:
    """`applicantage`, `patientsex`: a word for a person right before an attribute."""
    for at in range(_LONG_PERSON, len(word) - 2):
        if word[:at] in PEOPLE and word[at:] in by_joined_name and word not in _OTHER_WORDS:
            return by_joined_name[word[at:]]
    return None


_OTHER_WORDS = frozenset(("personage", "parentage", "headage", "patronage"))
