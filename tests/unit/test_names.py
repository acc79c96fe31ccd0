"""Which names are withheld: many spellings of one name, and names that only look alike."""

from __future__ import annotations

import pytest

from app.protect.feature_names import FeatureNames
from app.protect.names import DEFAULT_WITHHELD, Withheld, tokens

PLAIN = Withheld((), {})


def feature(name: str, *visible: str) -> str | None:
    """The attribute that a feature's name speaks of, beside visible inputs."""
    return FeatureNames(PLAIN, [{"name": one} for one in visible]).withheld(name)


@pytest.mark.parametrize(
    "spelling",
    [
        "date_of_birth", "Date of Birth", "dateOfBirth", "DateOfBirth", "DATE-OF-BIRTH", "date.of.birth", "dateofbirth",
        "DATEOFBIRTH", " date/of/birth ", "date\u00a0of\u00a0birth", "date\u2013of\u2013birth",
        "ｄａｔｅ＿ｏｆ＿ｂｉｒｔｈ",
        "date_\u200bof_birth", "da\u00adte_of_birth", "date_of_birth_2", "dateOfBirth 1",
        "date:of:birth:", "[date of birth]",
    ],
)  # fmt: skip
def test_one_name_in_many_spellings(spelling: str) -> None:
    assert PLAIN.attribute(spelling) == "age"


@pytest.mark.parametrize(
    ("name", "attribute"),
    [
        ("IPAddress", "identifier"), ("SSN", "identifier"), ("E-Mail", "contact"), ("eMail", "contact"),
        ("ZIPCode", "address"), ("zip code", "address"), ("Sex", "sex"), ("GENDER", "sex"), ("firstName", "name"),
        ("Marital-Status", "marital status"), ("foreignWorker", "nationality"), ("phone_number_2", "contact"),
    ],
)  # fmt: skip
def test_names_as_they_are_met(name: str, attribute: str) -> None:
    assert PLAIN.attribute(name) == attribute


@pytest.mark.parametrize("attribute", DEFAULT_WITHHELD)
def test_every_default_name_means_its_attribute(attribute: str) -> None:
    for name in DEFAULT_WITHHELD[attribute]:
        for spelling in (name, name.upper(), name.replace("_", " ").title(), name.replace("_", "")):
            assert PLAIN.attribute(spelling) == attribute


@pytest.mark.parametrize(
    "name",
    ["month", "mileage", "page", "sexton", "racecar", "usage_2", "account age", "amount", "2", "", "—", "\u200b"],
)
def test_other_names_are_not_withheld(name: str) -> None:
    assert PLAIN.attribute(name) is None
    assert feature(name) is None


@pytest.mark.parametrize(
    ("name", "attribute"),
    [
        ("applicant_age", "age"), ("Sex of applicant", "sex"), ("customer gender", "sex"),
        ("borrower_race", "ethnicity"), ("patientSex", "sex"), ("age_of_driver", "age"), ("home_zip", "address"),
        ("mother_religion", "religion"), ("applicant's age", "age"), ("applicantage", "age"),
        ("customergender", "sex"), ("account_owner_age", "age"), ("vehicle driver age", "age"),
        ("Name des Kunden", "name"), ("age of customers", "age"), ("user email", "contact"),
        ("owner phone number", "contact"), ("race_Black", "ethnicity"), ("sex_female", "sex"),
        ("gender_code", "sex"), ("head_of_household_age", "age"), ("emergency_contact_phone", "contact"),
        ("spouse_name", "name"), ("applicant_marital_status", "marital status"), ("client_dob", "age"),
        ("user_ip_address", "identifier"), ("Geschlecht", "sex"), ("Alter", "age"), ("geburtsdatum", "age"),
        ("nombre", "name"), ("edad", "age"), ("prénom", "name"), ("nom", "name"), ("date de naissance", "age"),
        ("fechaNacimiento", "age"), ("sexo", "sex"), ("kunde_alter", "age"), ("Staatsangehörigkeit", "nationality"),
        ("codigo postal", "address"),
    ],
)  # fmt: skip
def test_attributes_of_persons_in_longer_names_and_other_languages(name: str, attribute: str) -> None:
    assert PLAIN.attribute(name) == attribute


@pytest.mark.parametrize(
    "name",
    [
        "page", "message", "usage", "manage", "percentage", "storage", "parentage", "average_age_of_account",
        "account_age", "account age", "vehicle age", "age_of_vehicle", "loan_age", "age of the customer's account",
        "customer_account_age", "home_age", "age_of_oldest_tradeline", "product_name", "file_name", "model_name",
        "company_name", "feature name", "customer_segment_name", "employer_name", "name_length", "user_agent",
        "contact_center_wait", "contact_type", "customer_contact_center_wait", "address_verified",
        "customer_address_verified", "phone_verified", "email_domain", "race_time", "number of dependents",
        "customer id", "family_size", "hostname", "average_age", "eta",
    ],
)  # fmt: skip
def test_attributes_of_things_stay(name: str) -> None:
    assert PLAIN.attribute(name) is None


def test_a_name_of_which_something_was_taken_out_is_not_judged_again() -> None:
    assert PLAIN.attribute("Sex of [withheld: alias]") is None
    assert PLAIN.attribute("[withheld: alias] of the customer's race") is None


def test_a_million_names_do_not_fill_the_memory() -> None:
    rules = Withheld([], {})
    names = FeatureNames(rules, [])
    for number in range(20_000):
        rules.attribute(f"key {number}")
        names.withheld(f"feature {number}")
    rules.attribute("long " * 1000)
    names.withheld("long " * 1000)
    kept = [*rules._names, *names._features]
    assert len(kept) < 16_000
    assert max(map(len, kept)) < 300


def test_thousands_of_declared_names_and_long_ones_cost_little() -> None:
    rules = Withheld((f"tribe {number} group" for number in range(5000)), {})
    for number in range(5000):
        assert rules.attribute(f"tribe {number}") == f"tribe {number} group"
        assert rules.attribute(f"tribe {number} group fine") == f"tribe {number} group"
    assert FeatureNames(rules, []).withheld("x " * 20_000 + "age") == "age"


def test_what_is_declared_is_withheld_in_parts_and_extensions() -> None:
    rules = Withheld(["tribe_group", "Caste"], {})
    assert rules.attribute("tribe-group") == "tribe_group"
    assert rules.attribute("tribe") == "tribe_group"
    assert rules.attribute("tribeGroupFine") == "tribe_group"
    assert rules.attribute("tribal") is None
    assert rules.attribute("group") is None
    assert rules.attribute("caste 3") == "Caste"


def test_what_the_policy_says_reveals_an_attribute() -> None:
    rules = Withheld([], {"school year": "age"})
    assert rules.attribute("schoolYear") == "age"
    assert rules.attribute("school") is None


def test_what_is_shown_is_not_withheld_unless_it_is_declared() -> None:
    rules = Withheld(["race"], {}, shown=["age", "Race"])
    assert rules.attribute("Age") is None
    assert rules.attribute("age_band") == "age"
    assert rules.attribute("race") == "race"


def test_showing_a_name_keeps_a_longer_declared_one_withheld() -> None:
    rules = Withheld(["age_band"], {}, shown=["age"])
    assert rules.attribute("age") is None
    assert rules.attribute("age_band") == "age_band"


@pytest.mark.parametrize(
    ("name", "attribute"),
    [
        ("race_Black", "ethnicity"), ("race=Black", "ethnicity"), ("sex: female", "sex"), ("Gender female", "sex"),
        ("age > 37", "age"), ("25.00 < age <= 37.00", "age"), ("0 ≤ ageInYears", "age"), ("race != white", "ethnicity"),
        ("encoder__sex_female", "sex"), ("remainder__x__maritalStatus", "marital status"), ("postcode 1", "address"),
        ("month", None), ("10 < month <= 48", None), ("encoder__purpose_car", None), ("visible age", None),
        ("visible age > 3", None), ("age of account", "age"),
    ],
)  # fmt: skip
def test_what_explainers_make_of_names(name: str, attribute: str | None) -> None:
    assert feature(name, "visible age", "month") == attribute


def test_a_visible_input_is_not_withheld_as_a_feature() -> None:
    assert feature("age of account", "age of account") is None
    assert feature("age of account <= 3.00", "age of account") is None
    assert feature("age of account * age", "age of account") == "age"


# What stands in the place of NAME is the name of a withheld input.
DERIVED = [
    "NAME", "income & NAME", "NAME & income", "income*NAME", "NAME * income", "income NAME", "NAME income",
    "income x NAME", "income:NAME", "income×NAME", "income_x_NAME", "income/NAME", "(income, NAME)", "income + NAME",
    "log_NAME", "log(NAME)", "log1p(NAME)", "np.log(NAME)", "sqrt_NAME", "NAME^2", "NAME²", "NAME ** 2", "NAME_sq",
    "num__NAME", "num__log_NAME", "cat__NAME", "cat__NAME_X", "remainder__NAME", "preprocessor__num__NAME",
    "missingindicator_NAME", "imputer__missingindicator_NAME", "NAME_missing", "NAME_isna", "is_missing_NAME",
    "scaled_NAME", "NAME_scaled", "NAME_zscore", "standardscaler__NAME", "onehotencoder__NAME_X", "NAME_X", "NAME=X",
    "NAME[T.X]", "C(NAME)[T.X]", "C(NAME, Treatment)[T.X]", "bs(NAME, df=4)[2]", "NAME <= 25.00", "NAME>25",
    "20 < NAME <= 30", "income > 2000.00 AND NAME <= 25.00", "purpose=car, NAME<=25", "not NAME == X", "NAME in [X, Y]",
    "if NAME > 30 then", "NAME_binned", "kbins__NAME_3.0", "te_NAME", "NAME_te", "NAME_woe", "f(NAME)", "I(NAME > 3)",
    "NAME|income", "income & (purpose & NAME)", "income__NAME", "income.NAME", "income-NAME", "NAME2", "logNAME",
    "features.NAME", "ΔNAME",
]  # fmt: skip


@pytest.mark.parametrize("pattern", DERIVED)
@pytest.mark.parametrize("withheld", ["age", "Tribe group", "zqx"])
def test_derived_and_combined_names_speak_of_what_they_come_from(pattern: str, withheld: str) -> None:
    inputs = [{"name": "income"}, {"name": "purpose"}, {"name": withheld, "withheld": "said"}]
    for spelt in (withheld, withheld.upper(), withheld.replace(" ", "_")):
        if pattern == "logNAME" and " " in spelt:
            continue
        names = FeatureNames(Withheld([withheld], {}), inputs)
        assert names.withheld(pattern.replace("NAME", spelt)) is not None


@pytest.mark.parametrize("pattern", DERIVED)
def test_derived_names_of_visible_inputs_may_be_seen(pattern: str) -> None:
    names = FeatureNames(PLAIN, [{"name": "income"}, {"name": "purpose"}, {"name": "months"}, {"name": "account age"}])
    assert names.withheld(pattern.replace("NAME", "months")) is None
    assert names.withheld(pattern.replace("NAME", "account age")) is None or pattern == "logNAME"


@pytest.mark.parametrize("pattern", DERIVED)
def test_derived_names_name_the_inputs_that_are_shown_less_exactly(pattern: str) -> None:
    inputs = [{"name": "income"}, {"name": "purpose"}, {"name": "salary year"}]
    names = FeatureNames(PLAIN, inputs, lambda name: name == "salary year")
    found = names.coarse(pattern.replace("NAME", "salary_year"))
    assert found == ("salary year",) or pattern == "logNAME"
    assert names.coarse(pattern.replace("NAME", "months")) == ()


@pytest.mark.parametrize("name", ["agexincome", "incomexage", "ageincome", "incomeage", "INCOMEAGE"])
def test_names_run_together_speak_of_each(name: str) -> None:
    inputs = [{"name": "income"}, {"name": "age", "withheld": "age"}, {"name": "months"}]
    assert FeatureNames(PLAIN, inputs).withheld(name) == "age"
    assert FeatureNames(PLAIN, [{"name": "months"}, {"name": "income"}]).withheld("incomexmonths") is None


def test_words_that_end_like_a_withheld_name_are_others() -> None:
    inputs = [{"name": "age", "withheld": "age"}]
    assert [FeatureNames(PLAIN, inputs).withheld(name) for name in ("percentage", "page", "mileage")] == [None] * 3


@pytest.mark.parametrize("name", ["DAYS_BIRTH", "days since birth", "YOB", "birth_yr", "BirthMonth"])
def test_dates_of_birth_as_data_sets_name_them(name: str) -> None:
    assert PLAIN.attribute(name) == "age"


def test_tokens() -> None:
    assert tokens("personalStatus_2") == ("personal", "status", "2")
    assert tokens("größeX") == ("grösse", "x")
