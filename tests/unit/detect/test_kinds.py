"""Keys, wallets, coordinates, handles, plates, tax numbers, addresses and dates of birth, made anew for the test."""

from __future__ import annotations

import pytest

from app.protect.detect import find_identifiers, find_spans

from .covering import Detector, missed
from .generated import Maker

BOTH = pytest.mark.parametrize("find", [find_spans, find_identifiers])
SEEDS = range(3)

BESIDE_WORDS = (
    "password: {}", "pwd={}", "my password is {}", "DB_PASSWORD={}", '{{"password": "{}"}}', "client_secret={}",
    "API key: {}",
    "X-Api-Key: {}", "access token: {}", "passphrase: {}", "Das Passwort lautet {}", "mot de passe : {}",
    "contraseña: {}",
    "senha: {}", "hasło: {}", "wachtwoord: {}", "AccountKey={};Endpoint", "login admin / password {}", "--password {}",
    "postgres://admin:{}@db.internal/orders", "Authorization: Bearer {}", "ｐａｓｓｗｏｒｄ: {}",
)  # fmt: skip
HANDLES = (
    "follow @{}", "thanks @{} for the tip", "@{} posted it", "t.me/{}", "https://twitter.com/{}",
    "https://x.com/{}/status/12345",
    "instagram: {}", "My Insta is @{}", "telegram handle {}", "https://www.linkedin.com/in/{}/", "tiktok.com/@{}",
    "Snapchat: {}",
    "username: {}", "Discord: {}#4821", "skype: {}",
)  # fmt: skip
BIRTHS = (
    "born on the «third of March nineteen eighty-four»",
    "She was born in Leeds on the «1st of May 1979».",
    "DOB: «twelfth July 1979»",
    "date of birth is «June the fourth, two thousand and three»",
    "born on the «twenty-second of July, nineteen ninety one»",
    "Elle est née à Lyon le «douze avril 1990»",
    "né le «premier janvier mil neuf cent soixante-dix»",
    "geboren am «3. März 1984»",
    "geboren am «zwölften Mai neunzehnhundertsiebzig»",
    "Er wurde am «5. Juni 1977» geboren",
    "nació el «3 de marzo de 1984»",
    "nacida el «veintiuno de abril de mil novecientos noventa y dos»",
    "nascido em «3 de março de 1984»",
    "nasceu no dia «cinco de maio de mil novecentos e oitenta»",
    "Geburtsdatum: «03.04.1985»",
)
ADDRESSES = (
    "Hauptstraße 12, 10115 Berlin",
    "Musterstr. 5a, D-80331 München",
    "Unter den Linden 77, 10117 Berlin",
    "Straße des 17. Juni 135, 10623 Berlin",
    "Karl-Marx-Allee 90 A, 10243 Berlin",
    "12 bis rue de la Paix, 75002 Paris",
    "27 boulevard Saint-Michel, appartement 4, 75005 Paris",
    "5 ter, allée des Tilleuls, 44000 Nantes",
    "C/ Mayor 5, 3º B, 28013 Madrid",
    "Avda. de la Constitución 12, 41001 Sevilla",
    "C/ Gran Vía nº 28, piso 4, 28013 Madrid",
    "Flat 4B, 12 MG Road, Bengaluru 560001",
    "H.No. 8-2-120/3, Road No. 2, Banjara Hills, Hyderabad 500034",
    "B-12, Lajpat Nagar II, New Delhi 110024",
    "Rua das Flores, 123, apto 45 - Jardim Paulista, São Paulo - SP, 01414-001",
    "Av. Paulista, 1578, Bela Vista, São Paulo - SP, 01310-200",
    "10 Downing Street, London SW1A 2AA",
)
AROUND = ("{}", "Please note {}, thank you.", "see: {}\nand more")


@BOTH
@pytest.mark.parametrize("seed", SEEDS)
def test_keys_are_known_by_their_prefixes(find: Detector, seed: int) -> None:
    assert not missed(find, ((form.format(key), key) for key in Maker(seed).tokens() for form in AROUND))


@BOTH
@pytest.mark.parametrize("form", BESIDE_WORDS)
def test_secrets_are_known_by_the_word_beside_them(find: Detector, form: str) -> None:
    make = Maker(11)
    secrets = [f"{make.chars(size)}4x{make.chars(size)}" for size in (5, 9, 18)]
    assert not missed(find, ((form.format(secret), secret) for secret in secrets))


@BOTH
def test_private_keys_are_masked_from_begin_to_end(find: Detector) -> None:
    body = "\n".join(Maker(1).chars(64) for _ in range(3))
    key = f"-----BEGIN RSA PRIVATE KEY-----\n{body}\n-----END RSA PRIVATE KEY-----"
    assert not missed(find, [(f"here it is {key} and more", key), (f"cut off: {key[:180]}", key[:180])])
    assert all(span.end <= len(f"here it is {key}") for span in find(f"here it is {key} and more"))


@BOTH
@pytest.mark.parametrize("seed", SEEDS)
def test_crypto_addresses_are_known_by_their_check_digits(find: Detector, seed: int) -> None:
    wallets = list(Maker(seed).crypto_addresses())
    assert not missed(find, ((form.format(wallet), wallet) for wallet in wallets for form in AROUND))


def test_a_wrong_check_digit_is_no_address() -> None:
    good = next(Maker(2).crypto_addresses())
    wrong = good[:-1] + ("2" if good[-1] != "2" else "3")
    assert find_identifiers(f"see {good}")
    assert find_identifiers(f"see {wrong}") == []


@BOTH
@pytest.mark.parametrize("seed", SEEDS)
def test_coordinates(find: Detector, seed: int) -> None:
    forms = ("{}", "She was last seen at {}.", "GPS: {}", "the phone's position was {} at noon")
    assert not missed(find, ((form.format(place), place) for place in Maker(seed).coordinates() for form in forms))


@BOTH
@pytest.mark.parametrize("form", HANDLES)
def test_handles(find: Detector, form: str) -> None:
    names = ("oduya", "max_muster", "jdoe99", "m.lopez", "zoe-b")
    assert not missed(find, ((form.format(name), name) for name in names))


@BOTH
@pytest.mark.parametrize("seed", SEEDS)
def test_number_plates(find: Detector, seed: int) -> None:
    forms = ("license plate {}", "Kennzeichen {}", "registration number {}", "placa {}", "He drives a grey BMW, {}")
    assert not missed(find, ((form.format(plate), plate) for plate in Maker(seed).plates() for form in forms))


@BOTH
@pytest.mark.parametrize("seed", SEEDS)
def test_tax_numbers_of_germany_and_france(find: Detector, seed: int) -> None:
    make = Maker(seed)
    german, french, social = make.german_tax_number(), make.french_tax_number(), make.french_social_number()
    grouped = f"{german[:2]} {german[2:5]} {german[5:8]} {german[8:]}"
    office = f"{make.digits(2)}/{make.digits(3)}/{make.digits(5)}"
    rows = [
        (f"Steuer-ID: {german}", german), (grouped, grouped), (f"meine IdNr. ist {german}.", german),
        (f"Steuernummer {office}", office),
        (f"St.-Nr. {office}", office), (f"numéro fiscal : {french}", french),
        (f"Numéro fiscal de référence: {french}", french),
        (social, social), (f"NIR {social}", social),
    ]  # fmt: skip
    assert not missed(find, rows)


@BOTH
@pytest.mark.parametrize("labelled", BIRTHS)
def test_dates_of_birth_in_words(find: Detector, labelled: str) -> None:
    date = labelled[labelled.index("«") + 1 : labelled.index("»")]
    assert not missed(find, [(labelled.replace("«", "").replace("»", ""), date)])


@BOTH
@pytest.mark.parametrize("address", ADDRESSES)
def test_full_addresses(find: Detector, address: str) -> None:
    forms = ("{}", "I live at {}.", "Adresse: {}", "The parcel for {} has arrived")
    assert not missed(find, ((form.format(address), address) for form in forms))
