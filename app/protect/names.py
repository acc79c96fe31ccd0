"""Which names mean a withheld attribute.

Names are compared as tokens: `dateOfBirth`, `date-of-birth`, `DATE_OF_BIRTH` and `Date of birth 2` are one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import lru_cache

# Hidden unless a queue's policy shows them: attribute → names under which it is met.
DEFAULT_WITHHELD: Mapping[str, tuple[str, ...]] = {
    "name": (
        "name", "full_name", "first_name", "last_name", "given_name", "family_name", "surname", "forename",
        "middle_name", "maiden_name", "applicant_name", "customer_name", "patient_name", "candidate_name",
        "user_name", "username", "display_name", "author_name",
    ),
    "photo": ("photo", "picture", "portrait", "avatar", "face_image", "profile_picture"),
    "sex": ("sex", "gender", "gender_identity", "is_male", "is_female", "sex_at_birth"),
    "pronouns": ("pronouns", "pronoun", "salutation", "honorific", "personal_title"),
    "age": (
        "age", "age_band", "age_group", "age_years", "age_in_years", "date_of_birth", "birth_date", "birthdate",
        "birthday", "dob", "year_of_birth", "birth_year", "graduation_year",
    ),
    "ethnicity": ("ethnicity", "ethnic_group", "ethnic_origin", "race", "skin_color", "skin_colour", "caste"),
    "nationality": (
        "nationality", "citizenship", "country_of_birth", "birth_country", "birthplace", "place_of_birth",
        "foreign_worker", "immigration_status", "national_origin", "native_language", "mother_tongue",
    ),
    "religion": ("religion", "faith", "denomination"),
    "address": (
        "address", "street", "street_address", "home_address", "postal_address", "zip", "zip_code", "zipcode",
        "postcode", "postal_code", "city_of_residence",
    ),
    "marital status": ("marital_status", "civil_status", "married", "personal_status", "maritalstatus"),
    "contact": (
        "email", "e_mail", "email_address", "phone", "phone_number", "telephone", "telephone_number", "mobile",
        "mobile_number", "fax", "contact", "contact_details",
    ),
    "disability": ("disability", "disabled", "disability_status", "health_status", "pregnant", "pregnancy"),
    "orientation": ("sexual_orientation", "orientation_sexual"),
    "identifier": (
        "ssn", "social_security_number", "national_id", "passport", "passport_number", "tax_id", "iban",
        "account_number", "card_number", "ip_address", "drivers_license", "medical_record_number", "mrn",
    ),
}  # fmt: skip

_BY_NAME = {name: attribute for attribute, names in DEFAULT_WITHHELD.items() for name in names}
# How the text begins that stands in place of a name that was taken out.
CONSTANT = "[withheld: "
# Names as they are written without any separator: `dateofbirth`, `IPAddress`.
_BY_JOINED_NAME = {name.replace("_", ""): attribute for name, attribute in _BY_NAME.items()}
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
# What explainers put around a feature's name: `25 < age <= 37` (LIME), `encoder__sex_female` (scikit-learn).
_AROUND_FEATURES = re.compile(r"[<>=≤≥!]+|__")


@lru_cache(maxsize=8192)
def tokens(name: str) -> tuple[str, ...]:
    """A name's words: `personalStatus_2` → ("personal", "status", "2"). Fullwidth letters are letters."""
    spaced = "".join(map(_letter_or_space, unicodedata.normalize("NFKC", name)))
    return tuple(part.casefold() for part in _CAMEL.sub(" ", spaced).split())


def _letter_or_space(char: str) -> str:
    """Letters, marks and digits stay; what is invisible vanishes; the rest separates."""
    category = unicodedata.category(char)
    return char if category[0] in "LMN" else "" if category == "Cf" else " "


class Withheld:
    """Answers for one set of attributes: is this name withheld, and as what?"""

    def __init__(self, declared: Iterable[str], revealing: Mapping[str, str], shown: Iterable[str] = ()) -> None:
        """`declared`: attributes to withhold; `revealing`: name → attribute it gives away."""
        self._declared = {tokens(name): name for name in declared if tokens(name)}
        self._revealing = {tokens(name): attribute for name, attribute in revealing.items() if tokens(name)}
        self._shown = {tokens(name) for name in shown} - set(self._declared)
        self._names: dict[str, str | None] = {}
        self._features: dict[str, str | None] = {}

    def attribute(self, name: str) -> str | None:
        """The withheld attribute that this input or key names, or None."""
        if name not in self._names:
            self._names[name] = None if name.startswith(CONSTANT) else self._attribute(tokens(name))
        return self._names[name]

    def feature(self, name: str, visible: frozenset[str]) -> str | None:
        """The attribute behind an explainer's feature name; sees through one-hot names like `race_Black`.

        A name that is itself a visible input's is not withheld.
        """
        if name in visible or name.startswith(CONSTANT):
            return None
        if name not in self._features:
            self._features[name] = self._beginning(name)
        if self._features[name]:
            return self._features[name]
        parts = [part.strip() for part in _AROUND_FEATURES.split(name)]
        return next((found for part in parts if part not in visible and (found := self._beginning(part))), None)

    def _beginning(self, name: str) -> str | None:
        """The withheld attribute that the name's first words mean."""
        words = tokens(name)
        return next((found for n in range(len(words), 0, -1) if (found := self._attribute(words[:n]))), None)

    def _attribute(self, words: tuple[str, ...]) -> str | None:
        if not words:
            return None
        if words in self._declared:
            return self._declared[words]
        if words in self._revealing:
            return self._revealing[words]
        for declared, name in self._declared.items():
            # `age` gives `age_band` away, and `sex_and_status` gives `sex` away.
            short, long = sorted((declared, words), key=len)
            if words not in self._shown and long[: len(short)] == short:
                return name
        if words in self._shown:
            return None
        # `email_2` is one more e-mail.
        while len(words) > 1 and words[-1].isdigit():
            words = words[:-1]
        return _BY_NAME.get("_".join(words)) or _BY_JOINED_NAME.get("".join(words))
