"""Which names mean a withheld attribute.

Names are compared as tokens: `dateOfBirth`, `date-of-birth`, `DATE_OF_BIRTH` and `Date of birth 2` are one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

from app.protect.whose import of_a_person

# Hidden unless a queue's policy shows them: attribute → names under which it is met.
DEFAULT_WITHHELD: Mapping[str, tuple[str, ...]] = {
    "name": (
        "name", "full_name", "first_name", "last_name", "given_name", "family_name", "surname", "forename",
        "middle_name", "maiden_name", "applicant_name", "customer_name", "patient_name", "candidate_name", "user_name",
        "username", "display_name", "author_name", "vorname", "nachname", "familienname", "geburtsname", "nombre",
        "apellido", "apellidos", "nom", "prenom", "nom_de_famille", "nome", "cognome", "sobrenome",
    ),
    "photo": ("photo", "picture", "portrait", "avatar", "face_image", "profile_picture"),
    "sex": (
        "sex", "gender", "gender_identity", "male", "female", "is_male", "is_female", "sex_at_birth", "geschlecht",
        "sexo", "genero", "sexe", "sesso",
    ),
    "pronouns": (
        "pronouns", "pronoun", "salutation", "honorific", "personal_title", "anrede", "tratamiento", "civilite",
    ),
    "age": (
        "age", "age_band", "age_group", "age_years", "age_in_years", "date_of_birth", "birth_date", "birthdate",
        "birthday", "dob", "year_of_birth", "birth_year", "yob", "birth_yr", "birth_dt", "dt_birth", "birth_month",
        "days_birth", "days_since_birth", "years_old", "graduation_year", "alter", "geburtsdatum", "geburtstag",
        "geburtsjahr", "edad", "fecha_nacimiento", "fecha_de_nacimiento", "naissance", "date_naissance",
        "date_de_naissance", "annee_de_naissance", "data_nascimento", "data_di_nascita", "idade",
    ),
    "ethnicity": (
        "ethnicity", "ethnic_group", "ethnic_origin", "race", "skin_color", "skin_colour", "caste", "ethnie", "etnia",
        "raza",
    ),
    "nationality": (
        "nationality", "citizenship", "country_of_birth", "birth_country", "birthplace", "place_of_birth",
        "foreign_worker", "immigration_status", "national_origin", "native_language", "mother_tongue",
        "staatsangehorigkeit", "staatsangehoerigkeit", "nationalitat", "geburtsort", "muttersprache", "nacionalidad",
        "lugar_de_nacimiento", "nationalite", "lieu_de_naissance", "cittadinanza",
    ),
    "religion": ("religion", "faith", "denomination", "konfession", "religione", "religiao"),
    "address": (
        "address", "street", "street_address", "home_address", "postal_address", "zip", "zip_code", "zipcode",
        "postcode", "postal_code", "city_of_residence", "anschrift", "adresse", "strasse", "wohnort", "postleitzahl",
        "plz", "direccion", "domicilio", "codigo_postal", "code_postal", "indirizzo", "endereco", "cep",
    ),
    "marital status": (
        "marital_status", "civil_status", "married", "personal_status", "maritalstatus", "familienstand",
        "estado_civil", "etat_civil", "situation_matrimoniale", "stato_civile",
    ),
    "contact": (
        "email", "e_mail", "email_address", "phone", "phone_number", "telephone", "telephone_number", "mobile",
        "mobile_number", "fax", "contact", "contact_details", "telefon", "telefonnummer", "handynummer", "telefono",
        "telefone", "courriel", "correo", "correo_electronico",
    ),
    "disability": (
        "disability", "disabled", "disability_status", "health_status", "pregnant", "pregnancy", "behinderung",
        "discapacidad", "handicap", "schwanger",
    ),
    "orientation": ("sexual_orientation", "orientation_sexual"),
    "identifier": (
        "ssn", "social_security_number", "national_id", "passport", "passport_number", "tax_id", "iban",
        "account_number", "card_number", "ip_address", "drivers_license", "driver_license_number",
        "medical_record_number", "mrn",
    ),
}  # fmt: skip

_BY_NAME = {name: attribute for attribute, names in DEFAULT_WITHHELD.items() for name in names}
# How the text begins that stands in place of a name that was taken out.
CONSTANT = "[withheld: "
# Names as they are written without any separator: `dateofbirth`, `IPAddress`.
_BY_JOINED_NAME = {name.replace("_", ""): attribute for name, attribute in _BY_NAME.items()}
_LONGEST = max(name.count("_") for name in _BY_NAME) + 1
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
# Names are a sender's: neither many of them nor long ones may fill the memory.
_CACHED_NAMES = 4096
_CACHED_LENGTH = 200
# So many of a feature's first words are looked at.
_FIRST_WORDS = 16


def tokens(name: str) -> tuple[str, ...]:
    """A name's words: `personalStatus_2` → ("personal", "status", "2"). Fullwidth letters are letters."""
    return _cached_tokens(name) if len(name) <= _CACHED_LENGTH else _tokens(name)


def _tokens(name: str) -> tuple[str, ...]:
    spaced = "".join(map(_letter_or_space, unicodedata.normalize("NFKC", name)))
    return tuple(part.casefold() for part in _CAMEL.sub(" ", spaced).split())


_cached_tokens = lru_cache(maxsize=_CACHED_NAMES)(_tokens)


def _letter_or_space(char: str) -> str:
    """Letters, marks and digits stay; what is invisible vanishes; the rest separates."""
    category = unicodedata.category(char)
    return char if category[0] in "LMN" else "" if category == "Cf" else " "


def meaning(name: str) -> str | None:
    """The attribute of the built-in list that a name means, alone or with a word for a person."""
    return _meaning(tokens(name))


def is_listed(name: str) -> bool:
    """Whether a name stands in the built-in list."""
    return "_".join(tokens(name)) in _BY_NAME


def _meaning(words: tuple[str, ...], rules: bool = True) -> str | None:
    # `email_2` is one more e-mail.
    while len(words) > 1 and words[-1].isdigit():
        words = words[:-1]
    plain = words if "".join(words).isascii() else tuple(map(_without_marks, words))
    found = _BY_NAME.get("_".join(plain)) or _BY_JOINED_NAME.get("".join(plain))
    return found or (of_a_person(plain, _BY_NAME, _BY_JOINED_NAME, _LONGEST) if rules else None)


def _without_marks(word: str) -> str:
    """`prénom` as `prenom`."""
    return "".join(char for char in unicodedata.normalize("NFKD", word) if unicodedata.category(char) != "Mn")


class Withheld:
    """Answers for one set of attributes: is this name withheld, and as what?"""

    def __init__(self, declared: Iterable[str], revealing: Mapping[str, str], shown: Iterable[str] = ()) -> None:
        """`declared`: attributes to withhold; `revealing`: name → attribute it gives away."""
        self._declared = {tokens(name): name for name in declared if tokens(name)}
        self._revealing = {tokens(name): attribute for name, attribute in revealing.items() if tokens(name)}
        self._shown = {tokens(name) for name in shown} - set(self._declared)
        self._lengths = sorted({len(words) for words in self._declared})
        self._beginnings: dict[tuple[str, ...], str] = {}
        for words, name in self._declared.items():
            for n in range(1, len(words)):
                self._beginnings.setdefault(words[:n], name)
        self._names: dict[str, str | None] = {}

    def attribute(self, name: str) -> str | None:
        """The withheld attribute that this input or key names, or None."""
        if name in self._names:
            return self._names[name]
        found = None if name.startswith(CONSTANT) else self._attribute(tokens(name), CONSTANT not in name)
        return _remember(self._names, name, found)

    def phrases(self) -> Iterator[tuple[tuple[str, ...], str]]:
        """The names that are withheld by policy or record, in words, with their attribute."""
        yield from self._revealing.items()
        yield from self._declared.items()

    def words(self, words: tuple[str, ...], by_rules: bool = True) -> str | None:
        """The attribute that words mean together. `by_rules`: the built-in list also counts beside words for a
        person."""
        return self._attribute(words, by_rules)

    def beginning(self, words: tuple[str, ...], by_rules: bool = True) -> str | None:
        """The attribute that the words begin with, the longest beginning first: `race_Black`."""
        some = range(min(len(words), _FIRST_WORDS), 0, -1)
        return next((found for n in some if (found := self._attribute(words[:n], by_rules))), None)

    def _attribute(self, words: tuple[str, ...], rules: bool = True) -> str | None:
        """`rules`: names of the built-in list also count beside words for a person.

        Not where something was taken out of the name: what is left of it says nothing.
        """
        if not words:
            return None
        if words in self._declared:
            return self._declared[words]
        if words in self._revealing:
            return self._revealing[words]
        if words in self._shown:
            return None
        # `age` gives `age_band` away, and `sex_and_status` gives `sex` away.
        for n in self._lengths:
            if n < len(words) and words[:n] in self._declared:
                return self._declared[words[:n]]
        return self._beginnings.get(words) or _meaning(words, rules)


def _remember(known: dict[str, str | None], name: str, found: str | None) -> str | None:
    if len(name) <= _CACHED_LENGTH:
        if len(known) >= _CACHED_NAMES:
            known.clear()
        known[name] = found
    return found
