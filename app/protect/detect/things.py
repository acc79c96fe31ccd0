"""Whether words with capitals name a thing: a product, a method, a law, a medicine, a landscape."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

from app.protect.detect.words import is_common, word_set

_FILE = Path(__file__).parent / "things.txt"

# What is called after somebody: "Fisher's exact test", "the Jenkins pipeline", "Glasgow Coma Scale".
_NOUNS = word_set(
    "disease syndrome disorder sign test tests scale score scores index criteria classification stage staging grade grading "
    "reflex palsy lymphoma sarcoma tumor tumour anemia anaemia thyroiditis dementia ataxia chorea catheter ultrasound forceps "
    "manoeuvre maneuver procedure operation incision position fracture lesion cyst node nodes gland duct canal tube fever virus "
    "outbreak strain bacillus vaccine stain smear solution syringe protocol questionnaire inventory interview scan "
    "law laws theorem lemma conjecture hypothesis paradox principle rule rules equation equations inequality formula constant number "
    "numbers series sequence transform transforms distribution distributions process processes chain chains noise kernel curve "
    "curves regression correction coefficient correlation estimator estimate interval ratio statistic matrix space "
    "function functions polynomial method methods algorithm algorithms model models distance divergence metric loss norm filter "
    "sampling simulation simulations optimization optimisation network networks machine machines tree trees graph diagram "
    "diagrams plot code codes effect effects bias experiment experiments cycle cell engine motor telescope mission "
    "probe satellite crater belt comet equilibrium optimum efficiency coordinates geometry algebra logic notation alphabet letters "
    "numerals grammar operator criterion belief beliefs prior posterior networks remainder encoding compression search sort "
    "doctrine standard act bill treaty agreement accord accords convention conventions protocol directive amendment clause rights "
    "warning ruling decision case exemption clock defence defense report inquiry commission plan pact summit declaration "
    "scheme pyramid framework committee capital tax credit bond bonds option options futures average exchange trust fund rate "
    "pipeline pipelines job jobs build builds plugin plugins server servers cluster clusters topic topics queue broker consumer producer "
    "partition library libraries package packages module modules compiler interpreter script scripts runtime version versions "
    "release releases app apps application framework database databases table schema query queries driver client connector adapter api "
    "sdk cli dashboard dashboards notebook notebooks container containers pod pods image images chart charts agent agents instance node "
    "operator manager registry repository repo branch ticket tickets board workspace channel skill skills device devices speaker "
    "laptop phone tablet printer camera monitor keyboard router browser plugin account tenant license licence subscription file files "
    "format syntax language dialect bindings docs documentation tutorial course certification exam prompt assistant chatbot "
    "toolkit suite platform service services stack tool tools layer extension wrapper bot workflow workflows action runner "
    "deployment environment config configuration log logs alert alerts exporter line station tunnel bridge airport river basin delta "
    "desert mountains ocean sea gulf strait canal valley glacier coast peninsula dam reef forest railway tube "
    "car cars truck van engine dealer dealership model sedan suv convertible motorcycle plane jet aircraft helicopter "
    "cheese coffee fries bread wine beer sauce tea chocolate pizza salad soup steak roll cuisine food shepherd terrier cat "
    "auction roulette flu oak cabbage sprouts pastry lira pound yen franc dollar rupee krona krone peso "
    "award prize medal cup league trophy championship tournament conference festival museum opera symphony sonata novel film movie "
    "items scale method plant reactor bomb gas oil crude blend project initiative programme program standard "
    "edition translation market economy government railways border election parliament"
)
# Written large, they end the name of a thing: "Paris Agreement", "Washington Post".
_LAST_NOUNS = _NOUNS | word_set("post times journal herald gazette tribune observer guardian review union summit games c-class")
_DETERMINER = re.compile(r"\b(?:the|a|an|each|every|any|no|another|which|both|all) $", re.I)
_PEOPLE_AFTER = re.compile(
    r"(?:'s)? (?:family|families|brothers|sisters|couple|twins|household|residence|house|home|kids?|children|estate|case|boy|girl)\b"
)
_NEXT = re.compile(r"(?:'s?)? ([a-z-]+)(?: ([a-z-]+))?")
_MEDICINE = re.compile(
    r"[a-z]{3,}(?:cillin|formin|pril|sartan|statin|olol|azole|mycin|amol|mab|tinib|vir|oxetine|azepam|azolam|dipine|profen|olone|sone"
    r"|parin|xaban|gliptin|gliflozin|glutide|thyroxine|cycline|floxacin|tidine|setron|triptan|semide|thiazide|zosin|pine|idone|barbital"
    r"|caine|codone|morphone|ximab|zumab|mumab|lukast|terol|phylline|oxaban|grel|trexate|platin|rubicin|taxel|lidomide|zepam|apine)"
)
# Only somebody does these: "Jenkins said no" is a person, "Jenkins failed" is not.
_PERSON_ACTS = re.compile(
    r"(?: (?:has|had|also|never|just|then|already|who|and (?:his|her|their) \w+))? (?:said|says|told|tells|asked|asks|lives?|lived|works? (?:as|at|for|in)"
    r"|worked|moved|married|wrote|phoned|called|complained|denied|claimed|signed|paid|owes|wants|loves|likes|thinks|thought|died|was born"
    r"|is (?:\w+ )?(?:years|married|pregnant|sick|ill|my|his|her|our)|came|went|left|met|visited|joined|explained|replied|answered me|earned"
    r"|studied|retired|resigned|felt|feels|knows|knew|applied|requested|reported (?:to|that)|spoke|speaks|texted|emailed|lost (?:his|her)|has (?:a|an|two|three))\b"
)
_PERSON_BEFORE = re.compile(
    r"\b(?:my|his|her|our|their) (?:\w+ )?(?:friend|wife|husband|partner|son|daughter|sister|brother|mother|father|mom|mum|dad|boss|colleague|aunt"
    r"|uncle|cousin|neighbou?r|doctor|teacher|manager|landlord|roommate|girlfriend|boyfriend|child|baby),? $"
    r"|\b(?:hi|hello|hey|dear|thanks|thank you|ask|tell|told|asked|met|meet|with|miss|love,|cheers,|colleague|friend|applicant|customer|patient|nurse|doctor"
    r"|teacher|manager|agent|mrs?|ms|dr|prof)\.? $",
    re.I,
)


@lru_cache(1)
def _names() -> tuple[frozenset[str], frozenset[str]]:
    """Single words, and names in several words."""
    words, phrases = set[str](), set[str]()
    several = False
    for line in _FILE.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            several = line == "# In several words"
        elif several:
            phrases.add(line)
        else:
            words.update(line.split())
    return frozenset(words), frozenset(phrases)


def is_thing(folded: str, texts: list[str], before: str, end: int) -> bool:
    """Whether the words of a run name a thing, by a list or by what stands around them.

    `before` is what stands in front of the run, `end` is where it ends in the folded text.
    """
    if _PERSON_ACTS.match(folded, end) or _PERSON_BEFORE.search(before) or _PEOPLE_AFTER.match(folded, end):
        return False
    words, phrases = _names()
    small = [text.lower().removesuffix("'s") for text in texts]
    if " ".join(small) in phrases or " ".join(small[:2]) in phrases:
        return True
    if len(small) > 1 and small[-1] in _LAST_NOUNS:
        return True
    if _is_before_noun(folded, end) and (len(small) < 3):
        return True
    if all(_is_known(word, words) for word in small if len(word) > 1):
        return True
    return len(small) == 1 and bool(_DETERMINER.search(before))


def _is_known(word: str, words: frozenset[str]) -> bool:
    if word in words or word in ("and", "or", "the", "of", "&") or is_common(word) or _MEDICINE.fullmatch(word):
        return True
    return "-" in word and all(part in words or is_common(part) for part in word.split("-"))


def _is_before_noun(folded: str, end: int) -> bool:
    """Whether the run stands before the word for what it is the name of, with one word between them at the most."""
    hit = _NEXT.match(folded, end)
    if not hit:
        return False
    return hit[1] in _NOUNS or (hit[2] in _NOUNS and hit[1] not in _VERBS and is_common(hit[1]))


_VERBS = word_set(
    "is was has had and or the a an to of in on at for with from by as will would can could says said his her their its my our your "
    "wants needs takes took uses used wrote made did does who that which lives works owns bought sold paid drives drove reads read "
    "likes loves runs ran built broke lost found left joined signed opened closed started played won got gets plays sent made met"
)
