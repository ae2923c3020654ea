"""Fields that law or practice protects, found by the name of a column and by the levels in it, in several languages.

An inferred card doesn't use them, and says so; a card that people wrote is their decision. A name is read as its words:
snake_case, camelCase and blanks separate them, accents and digits don't count. To add a language, add its words to
CATEGORIES; tests/train/protected_names.csv has the names of public credit tables that the rules are measured on.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass

from train.card import Card


@dataclass(frozen=True, slots=True)
class Category:
    """What is protected, as it follows 'Not used: ', and why, as it follows 'which '.

    `words`: regular expression of a word that alone tells it, wherever it stands in a name. `phrases`: of several words
    in a row, written as one. `lone`: of words that mean it only without others that say of what ('age', but not
    'account age'). `levels`: of a level that only such a category has; empty if levels don't tell it.
    """

    title: str
    why: str
    words: str
    phrases: str = "$^"
    lone: str = "$^"
    levels: str = ""


NEUTRAL = (
    "applicants?|coapplicant|borrowers?|coborrower|debtor|guarantor|customers?|cust|clients?|persons?|personal|people"
    "|holder|head|member|user|owner|main|primary|secondary|joint|first|second|self|years?|yrs?|months?|days?|weeks?|the"
    "|has|flag|ind|indicator|group|grp|bands?|buckets?|range|bracket|bins?|binned|cat|ctg|category|categories|class"
    "|codes?|type|numbers?|num|cnt|count|total|derived|observed|reported|current|application|origination|above|below"
    "|over|under|name|desc|value|val|level|squared|log|scaled|std|norm|raw|new|min|max|encoded"
    "|der|die|jahren|jahre|jahr|antragstellers?|kunden?|kreditnehmers?|gruppen?|klassen?|anzahl|zahl"
    "|demandeur|emprunteur|les|ans|annees|tranches?|rang|nombre|nbre"
    "|clientes?|solicitante|titular|del|anos|grupo|rango|numero"
    "|richiedente|dello|della|anni|fascia|fasce|classe|faixa|etaria|qtd|quant|des|cod"
    "|aanvrager|klant|jaar|categorie|aantal|klienta|lat|grupa|grupowa|liczba"
)
"""Words that say whose, how measured or how written, not of what; also where they are written together with another."""

SHORT = re.compile("at|cd|co|da|de|di|do|du|el|et|id|in|is|la|le|nb|no|nr|of|on|sq|yr")
"""Shorter such words, which count only where they stand alone."""

EQUAL_TREATMENT = "equal-treatment law protects"

CATEGORIES = (
    Category(
        "origin",
        f"{EQUAL_TREATMENT} (nationality, ethnicity, race, place of birth: Directive 2000/43/EC, ECOA)",
        words=r"nationalit.*|nacionalid.*|nacionality|nazionalit.*|nationaliteit|citizenship|ciudadania|cidadania"
        r"|cittadinanza|citoyennete|staatsang.*|staatsburger.*|obywatelstwo|narodowosc|ethn.*|etnia|etnic.*|etnisch.*"
        r"|racial|raza|raca|razza|minorit.*|caste|tribe|immigra.*|migrant.*|auslander.*|auslandisch.*|gastarb.*"
        r"|naturalidade|birthplace|birthcountry|hispanics?|latin[oax]s?|caucasian|indigenous|indigena|geburtsort|geburtsland|geboorteland|geboorteplaats",
        phrases=r"(?:native|home|first)language|nativespeaker|mothertongue|muttersprache|languematernelle"
        r"|lengua(?:materna|nativa)|linguam(?:adre|aterna)|idiomamaterno|africanamerican"
        r"|foreign(?:worker|born|er)|(?:country|state|city|place|town)ofbirth|birth(?:country|place|city|state)"
        r"|nationalorigin|countryoforigin|paysd?e?d?origine|paisd?eorigen|paesediorigine|herkunftsland|racacor"
        r"|(?:lieu|pays|ville)d?e?naiss|(?:lugar|pais|ciudad|provincia|estado|municipio)d?e?nac"
        r"|(?:luogo|paese|stato|citta|comune|provincia)d?i?nascita|miejsceurodzenia|krajurodzenia"
        r"|nativecountry|(?:country|region|place|state)oforigin|residencepermit|permessosoggiorno|titredesejour|aufenthalts(?:titel|status)|immigrationstatus",
        lone=r"race|races|black|foreign|citizen|herkunft|herkomst|pochodzenie|rasse",
    ),
    Category(
        "sex",
        f"{EQUAL_TREATMENT} (Directive 2004/113/EC, ECOA)",
        words=r"sex|.*(?:gender|sexe|sexo|sesso)|sexes|sexual|geschl|geschlechts?|geslacht|plec|genero|anrede|salutation|civilite",
        # In English a genre is of something else.
        phrases=r"^genre(?:d[eu])?(?:client|demandeur|emprunteur|titulaire)?$",
        lone=r"male|female|man|woman|men|women|genere|homme|femme|hombre|mujer|frau|mann",
        levels=r"m|f|male|female|man|woman|mann|frau|mannlich|weiblich|divers|homme|femme|masculin|feminin"
        r"|hombre|mujer|masculino|femenino|feminino|homem|mulher|maschio|femmina|maschile|femminile|uomo|donna|vrouw"
        r"|mannelijk|vrouwelijk|kobieta|mezczyzna|nonbinary"
        r"|mr|mister|mrs|ms|miss|herr|mme|mlle|monsieur|madame|mademoiselle|sra?|srta|senora?|senhora?|sig(?:ra)?"
        r"|signora?",
    ),
    Category(
        "orientation",
        f"{EQUAL_TREATMENT} (GDPR, Article 9)",
        words="lgbt.*",
        phrases=r"sexualorientation|sexuelleorientierung|orientationsex.*|orientamentosessuale|orientacionsexual"
        r"|orientacaosexual",
    ),
    Category(
        "age",
        f"{EQUAL_TREATMENT} (Charter of Fundamental Rights, Article 21; ECOA)",
        words=r"dob|yob|born|bday|geburt(?!enrate|enziffer).*|naissance|naiss|nascita|nacimiento|nascimento|nasc|nac"
        r"|geboorte.*|urodz.*|altersgruppe|altersklassen?|leeftijd.*",
        phrases=r"birth(?!s?rate|sper)|geb(?:dat|jahr|tag)|datenaiss|agegroup|ageband|seniorcitizens?",
        lone=r"age|ages|alter|edad|idade|eta|wiek|wiekowa",
    ),
    Category(
        "family status",
        f"{EQUAL_TREATMENT} (marriage, children and other dependants: Charter of Fundamental Rights, Article 21; ECOA)",
        words=r"marital.*|marri(?:ed|age)|matrimon.*|spous.*|conjuge|conyuge|coniuge|ehepartner|verheiratet|divorc.*"
        r"|wife|wives|husbands?|epoux|epouses?|espos[oa]s?|marido|marito|moglie|ehe(?:frau|mann|gatt.*)"
        r"|(?:mater|pater)ni(?:ty|te|ta|dade|dad)|mutterschutz|mutterschaft.*|elternzeit|elterngeld|widow.*|(?:n|nb|nbr|nbre|no|num|cnt|anz|qt|qtd)?(?:child.*|kids?|enf|enfants?|hij[oa]s?|filh[oa]s?|figli.*)"
        r"|kinder.*|.*kinder|dzieci|dependents?"
        r"|dependants?|dependentes?|dependientes?|unterhalts(?:pflicht|berecht).*|conjoint|familienst.*",
        phrases=r"(?:civil|registered|domestic)partnership|parentalleave|famstand|(?:est|edo|estado|stato|etat)civ|famil(?:y|ie|ia|le)?(?:stat|size|member|type|composition)|fam(?:stat|size|members?)|sit(?:uation)?fam"
        r"|familienst|statuscivil|civilstat|civiele?staat|burgerlijkestaat|stancywilny"
        r"|personalstatus|peopleliable|liablepeople|personnesacharge|personasacargo|acaricofamil|cargasfamiliares|maidenname|nom(?:de)?jeunefille|familiariacarico"
        r"|household(?:size|members)|sizeofhousehold|haushaltsgrosse|nucleofamiliar",
        lone=r"family|familia|famille|famiglia|marstat(?:us)?",
        levels=r"married|singles?|divorced|widow(?:ed|er)?|separated|unmarried|nevermarried|notmarried|cohabiting"
        r"|civil(?:partner(?:ship)?|marriage|union)|domesticpartner|verheiratet|ledig|geschieden|verwitwet|celibataires?"
        r"|mariee?|divorcee?|veuf|veuve|pacsee?|soltero?a?|casado?a?|divorciado?a?|viudo?a?|separado?a?|unionlibre"
        r"|solteiro?a?|viuvo?a?|uniaoestavel|celibe|nubile|coniugat[oa]|sposat[oa]|divorziat[oa]|vedov[oa]"
        r"|gehuwd|ongehuwd|gescheiden|weduwe|zonaty|zamezna|kawaler|panna|rozwiedzion[ya]|wdow[ae]c?",
    ),
    Category(
        "religion",
        f"{EQUAL_TREATMENT} (Charter of Fundamental Rights, Article 21; ECOA)",
        words=r"religi.*|confessione|konfession.*|kirche.*|wyznanie|geloof|godsdienst",
        lone=r"faith|church",
    ),
    Category(
        "health",
        f"{EQUAL_TREATMENT} (GDPR, Article 9; Directive (EU) 2023/2225, Article 18)",
        words=r"disab.*|handicap.*|pregnan.*|schwanger.*|grossesse|enceinte|gravidanza|embaraz.*|gravidez|.*behinder.*"
        r"|discapaci.*|deficiencia|invalidita|invalidite|invalidez|niepelnosprawn.*|illness|disease"
        r"|krankheit.*|maladie|malattia|enfermedad|doenca",
        lone=r"health(?:status)?|sante|salute|salud|saude|gesundheit|gezondheid|zdrowie",
    ),
    Category(
        "politics",
        f"{EQUAL_TREATMENT} (GDPR, Article 9)",
        # A politica, politique or Politik is a policy as well.
        words=r"political(?:ly)?|politisch.*|politicamente|politiquement|syndicat.*|gewerkschaft.*|sindacato|sindicato|sindical.*",
        phrases=r"(?<!credit)unionmember|tradeunion|partymember"
        r"|(?:opini|convic|affili|afili|filia|ideolog|orienta|parti)[a-z]*politi(?:c|qu)",
    ),
    Category(
        "postcode",
        "in practice stands for origin and for a neighbourhood's wealth",
        words=r"zip|zipcodes?|zipcd|postcodes?|postcd|plz|cep|postleitzahl",
        phrases=r"zipc(?:ode|d)|postalcode|postc(?:ode|d)|codepostal|codpostal|codigopostal|codicepostale|codiceavviamento"
        r"|kodpocztowy|^cp(?:domicil|residen|client|adresse)|^cap(?:di)?(?:residenza|domicilio|indirizzo)|(?:residen[a-z]*|address|home|office|permanent)pincode",
        lone=r"cap|postal|pincode",
    ),
)
"""The first that a name or its levels fit."""

MAX_LEVELS = 12
"""A column with more levels isn't told by them, nor are its groups compared if people didn't say so."""

OTHER_LEVELS = re.compile(r"|x|d|u|other|others|unknown|na|xna|none|null|undisclosed|missing|joint|dr|prof")


def find_category(name: str, levels: Collection[str] = ()) -> Category | None:
    """The category that protects a column, by its name or by its levels; None if there is none."""
    words = split_words(name)
    return next((one for one in CATEGORIES if _is_named(one, words) or _has_levels(one, levels)), None)


def list_protected_inputs(card: Card) -> dict[str, str]:
    """The inputs of a card that law or practice protects → what they are: 'sex', 'age', …"""
    found = {name: find_category(name, field.levels) for name, field in card.inputs.items()}
    return {name: category.title for name, category in found.items() if category is not None}


def list_compared(card: Card) -> set[str]:
    """The fields whose groups the report compares: those with use = false, and protected inputs of a few levels."""
    inputs = {name for name in list_protected_inputs(card) if len(card.fields[name].levels) <= MAX_LEVELS}
    return inputs | {name for name, field in card.fields.items() if not field.use}


def split_words(name: str) -> list[str]:
    """The words of a name in lower case, without accents and digits: 'NumberOfDependents' → number, of, dependents."""
    plain = _without_accents(name)
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", plain)
    return re.findall(r"[a-z]+", spaced.lower())


def _without_accents(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.replace("ß", "ss").replace("ł", "l").replace("Ł", "L"))
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def _is_named(category: Category, words: list[str]) -> bool:
    if any(re.fullmatch(category.words, word) for word in words):
        return True
    lone = rf"(?:{NEUTRAL})*(?:{category.lone})(?:{NEUTRAL})*"
    return bool(
        re.search(category.phrases, "".join(words))
        or re.fullmatch(lone, "".join(word for word in words if not SHORT.fullmatch(word)))
    )


def _has_levels(category: Category, levels: Collection[str]) -> bool:
    """Whether at least two levels are those of the category, and no other one is there but for unknown ones."""
    if not category.levels or len(levels) > MAX_LEVELS:
        return False
    words = {"".join(split_words(level)) for level in levels}
    known = {word for word in words if re.fullmatch(category.levels, word)}
    return len(known) > 1 and all(OTHER_LEVELS.fullmatch(word) for word in words - known)
