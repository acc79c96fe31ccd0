"""Words that say little: names that are everyday words, what stands beside a name, and values that say nothing."""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Values that are nobody's in particular.
NOTHING_SAID = _words(
    "true false none null nil unknown other missing n/a not_available prefer_not_to_say medium high anonymous "
    "redacted undisclosed"
) | {"not available", "prefer not to say", "not stated"}

# Titles, and what joins the parts of a name: never searched alone.
ADDRESSED = _words(
    "mr mrs ms miss mx dr prof professor sir dame lord lady rev jr sr ii iii iv phd md esq herr frau monsieur madame "
    "mme mlle senor senora sra don dona signor signora van von der den ter ten de del della di da das do dos du la le "
    "las los el al bin ibn bint abu af av zu zum zur und y e and mr. mrs. ms. dr. prof. jr. sr."
)

# Whom or what a record is about, and mailboxes of nobody: no parts of a name.
ROLES = _words(
    "applicant borrower customer client patient user person member student candidate employee driver owner subject "
    "guest tester test admin administrator office info mail email contact support sales hello team service services "
    "noreply no-reply postmaster webmaster help billing account accounts press jobs privacy first last"
)

# First and last names that are words of English as well.
WORDS = _words(
    "ace amber angel angels april archer art ash august autumn baker banks bay bean bell best bill bird bishop black "
    "bliss blue booker bond boss bowl boy brand branch bright brook brooks brown buck bud bush butcher butler buyer "
    "cannon care carol carpenter carter case cash castle chance chandler chapel charity chase cherry chief child "
    "christian church clay cliff close cloud coal cole colt constant cook cooper court cross crow crystal cruise "
    "curry dale dawn day days dean destiny dial dick dollar dove drake draw drew driver duke early earl east eden "
    "elder english ever fair faith farmer fern field fields fisher fleet flint flower ford forest forester foster "
    "fountain fox frank free freeman french friday friend frost gale gardener gates gay gene gentry german ginger "
    "glass glen gold golden good goodman grace grant graves gray green grey grove guy hale hall hand hands hardy "
    "harmony hart haven hawk hay head heath heather helm hill hills hollow holly holmes home honor hood hook hope "
    "horn house humble hunt hunter ice iris iron ivy jack jade jasmine jay jean jewel john josh journey joy judge "
    "july june justice kay keen key king kite knight lake lamb lance land lane lark last laurel law laws leaf lee "
    "light lilac lily little long lord love lucky lynch mack maker man march mark market marsh marshal marshall "
    "martini mason mast matt may mayor meadow mercy merit mike mild miller mills miner mint misty monday moon moor "
    "more morrow moss mount muse myrtle new nick noble noon norm north nova oak ocean olive opal page park parish "
    "parks parson pat patience peace peach pearl peg penny pepper perry piece pierce pike pink piper plant pool poole "
    "poor pope porter post potter power powers praise price pride prince prior prudence queen quick rain ram ranger "
    "ray read reason red reed reef rich rider ridge ring river rivers rob robin rock rod root rose rowan royal ruby "
    "rush rusty ruth saddler sage sailor sales salmon salt sand sandy savage scarlet sea self serene shade sharp "
    "shepherd shore short silver singer singh skip sky slate small smart snow spring star steel stern stone storm "
    "street strong sue summer summers sunny swan sweet swift tab tanner taylor ted temple thorn tiger tile tony trace "
    "tracy trainer tree trinity trip true trust tucker turner tyler valentine van vic victor viola violet wade wait "
    "walker wall walls ward waters way weaver web weeks wells west wheeler white wild will willow winter winters wise "
    "wolf wood woods woody word worth wren wright yard young zone klein lang kurz kaiser weber koch bauer richter "
    "wagner schneider"
) - {
    "german",
    "wagner",
    "schneider",
    "weber",
    "richter",
    "tony",
    "ted",
    "ruth",
    "matt",
    "tracy",
    "holmes",
    "singh",
    "john",
    "josh",
}

# Those of them with which sentences begin: there they must not be masked for it.
OPENERS = _words(
    "will may can do so more many long good best early young grant price case page day days new free close little "
    "short small last mark hope draw read wait trust care constant ever true self home house head hand all white "
    "black brown green red blue gray grey gold march april june july august monday friday spring summer autumn winter "
    "north east west land law post market sales service piece reason power key light fair quick rich"
)

# Names that are months and days as well: not names after these words, or before a number.
CALENDAR = _words("april august autumn friday july june march may monday spring summer winter")
BEFORE_A_MONTH = _words(
    "in on by since until till from to of last next this every each early late mid before after during and through"
)

# Words of languages that the list of ordinary English words does not have.
ELSEWHERE = _words(
    "nicht keine kein ohne oder unter über ueber nach wird sind eine einer einem einen anderes andere sonstige "
    "sonstiges angabe angaben ledig verheiratet geschieden verwitwet getrennt lebend männlich weiblich divers avec "
    "sans pour dans autre autres aucun aucune marié mariée célibataire divorcé divorcée veuf veuve homme femme para "
    "como sobre entre desde hasta otro otra otros otras ninguno ninguna soltero soltera casado casada divorciado "
    "divorciada viudo viuda hombre mujer outro outra nenhum nenhuma solteiro solteira homem mulher niet geen zonder "
    "ander andere gehuwd ongehuwd gescheiden altro altra nessuno nessuna celibe nubile coniugato coniugata"
)

# English that the list of ordinary words has no use for: words of forms and questionnaires.
OF_FORMS = _words(
    "binary native latter trans saint degree diploma bachelor master masters science sciences arts studies secondary "
    "primary tertiary vocational humanities engineering administration logistics finance retail hospitality category "
    "specified unspecified applicable declined disclose identify describe listed mixed multiple various"
)
