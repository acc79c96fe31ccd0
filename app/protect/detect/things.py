"""Whether words with capitals name a thing: a product, a method, a law, a medicine, a landscape."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

from app.protect.detect.words import is_common, trade_words, word_set

_FILE = Path(__file__).parent / "things.txt"
_PEOPLE, _SEVERAL_WORDS = "# Also names of people", "# In several words"

# What is called after somebody: "Fisher's exact test", "the Jenkins pipeline", "Glasgow Coma Scale".
_NOUNS = word_set(
    "disease syndrome disorder sign test tests scale score scores index criteria classification stage staging grade "
    "grading "
    "reflex palsy lymphoma sarcoma tumor tumour anemia anaemia thyroiditis dementia ataxia chorea catheter ultrasound "
    "forceps "
    "manoeuvre maneuver procedure operation incision position fracture lesion cyst node nodes gland duct canal tube "
    "fever virus "
    "outbreak strain bacillus vaccine stain smear solution syringe protocol questionnaire inventory scan "
    "law laws theorem lemma conjecture hypothesis paradox principle rule rules equation equations inequality formula "
    "constant number "
    "numbers series sequence transform transforms distribution distributions process processes chain chains noise "
    "kernel curve "
    "curves regression correction coefficient correlation estimator estimate interval ratio statistic matrix space "
    "function functions polynomial method methods algorithm algorithms model models distance divergence metric loss "
    "norm filter "
    "sampling simulation simulations optimization optimisation network networks machine machines tree trees graph "
    "diagram "
    "diagrams plot code codes effect effects bias experiment experiments cycle cell engine motor telescope mission "
    "probe satellite crater belt comet equilibrium optimum efficiency coordinates geometry algebra logic notation "
    "alphabet letters "
    "numerals grammar operator criterion belief beliefs prior posterior networks remainder encoding compression "
    "search sort "
    "doctrine standard act bill treaty agreement accord accords convention conventions protocol directive amendment "
    "clause rights "
    "ruling decision case exemption clock defence defense inquiry commission pact summit declaration "
    "scheme pyramid framework committee capital credit bond bonds option options futures average exchange trust fund "
    "rate "
    "pipeline pipelines job jobs build builds plugin plugins server servers cluster clusters topic topics queue "
    "broker consumer producer "
    "partition library libraries package packages module modules compiler interpreter script scripts runtime "
    "release releases app apps framework database databases table schema query queries driver client connector "
    "adapter api "
    "sdk cli dashboard dashboards notebook notebooks container containers pod pods image images chart charts agent "
    "agents instance node "
    "operator manager registry repository repo branch ticket tickets board workspace channel skill skills device "
    "devices speaker "
    "tablet printer monitor keyboard router browser plugin "
    "format syntax language dialect bindings docs documentation tutorial course certification exam prompt assistant "
    "chatbot "
    "toolkit suite platform service services stack tool tools layer extension wrapper bot workflow workflows action "
    "runner "
    "deployment environment config configuration alert alerts exporter line station tunnel bridge airport river basin "
    "delta "
    "desert mountains ocean sea gulf strait canal valley glacier coast peninsula dam reef forest railway tube "
    "truck van engine dealer dealership model sedan suv convertible motorcycle plane jet aircraft helicopter "
    "cheese coffee fries bread wine beer sauce tea chocolate pizza salad soup steak roll shepherd terrier cat "
    "auction roulette flu oak cabbage sprouts pastry lira pound yen franc dollar rupee krona krone peso "
    "medal cup league trophy championship tournament conference festival museum "
    "items scale method plant reactor bomb gas oil crude blend initiative programme program standard "
    "edition translation market economy railways border election parliament"
)
# The same where the name is known to be of a thing; people have these as well.
_OWNED_NOUNS = word_set(
    "version versions account case file files application interview report license licence phone car cars laptop "
    "camera tenant "
    "warning tax plan award prize project subscription log logs doctrine decision ruling inquiry exchange trust fund"
)
_ALL_NOUNS = _NOUNS | _OWNED_NOUNS
# More words of trades, beside those of words.txt.
_TRADE = word_set(
    "surgery dose daily tablet tablets mg ml differential diagnosis negative positive elevated biopsy symptom "
    "symptoms acute chronic bilateral "
    "infection therapy dosage prescribed rented deployed restarted configured benchmarked migrated crashed stalled "
    "replicated compiled "
    "indexed cached rebooted patched upgraded merged reverted listed computed estimated measured gpu cpu ram disk "
    "latency payload "
    "upstream commit merge sprint release disclosure disclosures statute court appeal plaintiff's tort liability "
    "damages covenant "
    "racing football goal goals match beat season fixture gdp inflation currency exports imports tariff tariffs trade "
    "shares stock "
    "stocks yield index ruling trailer scene quote slogan"
)
# Written large, they end the name of a thing: "Paris Agreement", "Washington Post".
_LAST_NOUNS = _NOUNS | word_set(
    "post times journal herald gazette tribune observer guardian review union summit games c-class"
)
_DETERMINER = re.compile(r"\b(?:the|a|an|each|every|any|no|another|which|both|all) $", re.I)
_THE = re.compile(r"\bthe $", re.I)
_PEOPLE_AFTER = re.compile(
    r"(?:'s)? (?:husband|wife|mother|father|mum|mom|dad|son|daughter|brother|sister|partner|parents|boss|family"
    r"|families|brothers|sisters|couple|twins|household|residence|house|home|kids?|children|estate|case|boy|girl)\b"
)
# Spoken to, and no persons for that.
_ASSISTANTS = word_set("Alexa Siri Cortana Bixby")
_TO_ASSISTANTS = re.compile(r"\b(?:ask|asked|hey|hi|tell|told|ok|okay)\.? $", re.I)
_BEFORE_NAMES = word_set(
    "mount lake cape fort port hurricane typhoon cyclone storm saint air planet project operation fc uss hms air"
)
# What somebody has or made, or what happened to them.
_WORKS_AFTER = re.compile(
    r"(?:'s)? (?:accounts?|cases?|files?|loans?|mortgage|payments?|claims?|applications?|invoices?|contract|deal"
    r"|wedding|funeral|party|estate|phone"
    r"|laptop|letters?|emails?|complaint|novels?|books?|films?|movies?|songs?|albums?|paintings?|speech|concerts?"
    r"|gigs?|shows?|fans?|lawsuit|trial|murder|version|cover)\b"
)
_NEXT = re.compile(r"(?:'s?)? ([a-z-]+)(?: ([a-z-]+))?")
_ROMAN = re.compile(r"[ivx]{2,5}")
_MEDICINE = re.compile(
    r"[a-z]{3,}(?:cillin|formin|pril|sartan|statin|olol|azole|mycin|amol|mab|tinib|vir|oxetine|azepam|azolam|dipine"
    r"|profen|olone|sone"
    r"|parin|xaban|gliptin|gliflozin|glutide|thyroxine|cycline|floxacin|tidine|setron|triptan|semide|thiazide|zosin"
    r"|pine|idone|barbital"
    r"|caine|codone|morphone|ximab|zumab|mumab|lukast|terol|phylline|oxaban|grel|trexate|platin|rubicin|taxel"
    r"|lidomide|zepam|apine)"
)
# Only somebody does these: "Jenkins said no" is a person, "Jenkins failed" is not.
_PERSON_ACTS = re.compile(
    r"(?: (?:has|had|also|never|just|then|already|who|and (?:his|her|their) \w+))? (?:said|says|told|tells|asked|asks"
    r"|lives?|lived|works? (?:as|at|for|in)"
    r"|worked|moved|married|wrote|phoned|called|complained|denied|claimed|signed|paid|owes|wants|loves|likes|thinks"
    r"|thought|died|was (?:born|fired|hired|arrested|promoted|diagnosed"
    r"|admitted|discharged|married|late|rude|sick|angry|absent|divorced|evicted)|and (?:her|his|their) \w+"
    r"|is (?:\w+ )?(?:years|married|pregnant|sick|ill|my|his|her|our)|came|went|left|met|visited|joined|explained"
    r"|replied|earned"
    r"|studied|retired|resigned|felt|feels|knows|knew|applied|requested|reported (?:to|that)|spoke|speaks|shouted"
    r"|yelled|whispered|replied|laughed|smiled|cried|nodded|admitted|insisted|argued|agreed|refused|promised|texted"
    r"|emailed|lost (?:his|her)|has (?:a|an|two|three))\b"
)
_PERSON_BEFORE = re.compile(
    r"\b(?:my|his|her|our|their) (?:\w+ )?(?:friend|wife|husband|partner|son|daughter|sister|brother|mother|father"
    r"|mom|mum|dad|boss|colleague|aunt"
    r"|uncle|cousin|neighbou?r|doctor|teacher|manager|landlord|roommate|girlfriend|boyfriend|child|baby),? $"
    r"|\b(?:hi|hello|hey|dear|thanks|thank you|ask|tell|told|asked|met|meet|miss|love,|cheers,|colleague|friend"
    r"|applicant|customer|patient|nurse|doctor"
    r"|teacher|manager|agent|mrs?|ms|dr|prof)\.? $",
    re.I,
)


@lru_cache(1)
def _names() -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    """Single words, those of them that are names of people as well, and names in several words."""
    words, people, phrases = set[str](), set[str](), set[str]()
    section = ""
    for line in _FILE.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            section = line
        elif section == _SEVERAL_WORDS:
            phrases.add(line)
        else:
            (people if section == _PEOPLE else words).update(line.split())
    return frozenset(words | people), frozenset(people), frozenset(phrases)


def is_thing(folded: str, texts: list[str], before: str, end: int) -> bool:
    """Whether the words of a run name a thing, by a list or by what stands around them.

    `before` is what stands in front of the run, `end` is where it ends in the folded text.
    """
    if len(texts) == 1 and texts[0] in _ASSISTANTS and _TO_ASSISTANTS.search(before):
        return True
    return _names_thing(folded, texts, before, end) and not (
        acts_as_person(folded, end) or _PERSON_BEFORE.search(before)
    )


def _names_thing(folded: str, texts: list[str], before: str, end: int) -> bool:
    """Whether a list, or the words around, say thing; the sentence may still speak of a person."""
    words, people, phrases = _names()
    small = [text.lower().removesuffix("'s") for text in texts]
    if " ".join(small) in phrases or " ".join(small[:2]) in phrases:
        return True
    if len(small) > 1 and small[-1] in _LAST_NOUNS:
        return True
    parts = _parted(small)
    if len(parts) > 1:
        return all(
            part[-1] in _LAST_NOUNS or part[0] in _BEFORE_NAMES or all(_is_known(word, words) for word in part)
            for part in parts
        ) or (all(len(part) < 3 for part in parts) and is_before_noun(folded, end))
    known = all(_is_known(word, words) for word in small if len(word) > 1)
    if len(small) < 3 and is_before_noun(folded, end, known):
        return True
    # "Ada Jackson" is somebody, "Apache Kafka" is not.
    if known and (len(small) == 1 or not people.issuperset(small)):
        return True
    # "Mount Everest", "Nvidia Hopper"
    if len(small) < 4 and (
        small[0] in _BEFORE_NAMES or (len(small) == 2 and small[0] in words and small[0] not in people)
    ):
        return True
    # "the Danube", "The Magna Carta"; but "the Fenwick account" is somebody's.
    determined = _DETERMINER if len(small) == 1 else _THE
    return len(small) < 4 and bool(determined.search(before)) and not _WORKS_AFTER.match(folded, end)


def is_trade_word(word: str) -> bool:
    """Whether a word (in small letters, one or several) is used in computing, law, finance, medicine or science."""
    words = _trade_words()
    return word in words or (word.endswith("s") and word[:-1] in words)


@lru_cache(1)
def _trade_words() -> frozenset[str]:
    return trade_words() | _NOUNS | _TRADE


def acts_as_person(folded: str, end: int) -> bool:
    """Whether what follows is done by people only, or said of their families."""
    return bool(_PERSON_ACTS.match(folded, end) or _PEOPLE_AFTER.match(folded, end))


def _parted(words: list[str]) -> list[list[str]]:
    """The names that "and" joins, each without its article."""
    parts: list[list[str]] = [[]]
    for word in words:
        if word == "and":
            parts.append([])
        elif word != "the":
            parts[-1].append(word)
    return [part for part in parts if part]


def _is_known(word: str, words: frozenset[str]) -> bool:
    if word in words or word == "of" or is_common(word) or _ROMAN.fullmatch(word) or _MEDICINE.fullmatch(word):
        return True
    return "-" in word and any(part in words for part in word.split("-"))


def is_before_noun(folded: str, end: int, known: bool = False) -> bool:
    """Whether the run stands before the word for what it is the name of, with one word between them at the most.

    `known`: the run itself is a name of a thing.
    """
    hit = _NEXT.match(folded, end)
    if not hit:
        return False
    nouns = _ALL_NOUNS if known else _NOUNS
    return hit[1] in nouns or (hit[2] in nouns and hit[1] not in _VERBS and is_common(hit[1]))


_VERBS = word_set(
    "is was has had and or the a an to of in on at for with from by as will would can could says said his her their "
    "its my our your "
    "wants needs takes took uses used wrote made did does who that which lives works owns bought sold paid drives "
    "drove reads read "
    "likes loves runs ran built broke lost found left joined signed opened closed started played won got gets plays "
    "sent made met"
)
