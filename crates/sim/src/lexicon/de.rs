//! German. Nouns come in groups by gender, so that articles agree.

/// German slots.
pub(super) const TABLE: super::Table = &[
    (
        "die",
        &[
            "Rechnung",
            "Bestellung",
            "Lieferung",
            "Buchung",
            "Zahlung",
            "Umfrage",
            "Schulung",
            "Prognose",
            "Versicherung",
            "Genehmigung",
            "Reservierung",
            "Mahnung",
            "Anleitung",
            "Veranstaltung",
            "Werkstatt",
            "Kündigung",
        ],
    ),
    (
        "der",
        &[
            "Vertrag",
            "Bericht",
            "Zeitplan",
            "Entwurf",
            "Auftrag",
            "Gutschein",
            "Katalog",
            "Garten",
            "Schlüssel",
            "Mietvertrag",
            "Ausweis",
            "Drucker",
        ],
    ),
    (
        "adj",
        &[
            "neue",
            "verspätete",
            "falsche",
            "jährliche",
            "dringende",
            "doppelte",
            "letzte",
            "unerwartete",
            "teure",
            "fehlende",
            "gemeinsame",
            "veraltete",
        ],
    ),
    (
        "team",
        &["Vertrieb", "Buchhaltung", "Einkauf", "Lager", "Support", "Entwicklung", "Personal"],
    ),
    (
        "getan",
        &[
            "geprüft",
            "verschoben",
            "storniert",
            "genehmigt",
            "ersetzt",
            "gelobt",
            "archiviert",
            "verlängert",
            "verkauft",
            "repariert",
            "verdoppelt",
        ],
    ),
    ("tag", &["Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag"]),
    ("monat", &["Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "Oktober"]),
    (
        "grund",
        &[
            "der Lieferant in <city> geschlossen hatte",
            "<person> im Urlaub war",
            "der Preis um <n2> Prozent gestiegen ist",
            "sich ein Kunde aus <city> beschwert hat",
            "niemand die <adj> <die> gelesen hatte",
            "die Zahlen für <monat> nicht stimmten",
        ],
    ),
    (
        "sentence",
        &[
            "Die <adj> <die> wurde am <tag> <getan>, weil <grund>.",
            "Im <monat> hat <person> <surname> in <city> <n2> Aufträge <getan>.",
            "<firm> hat bei <city> eine <adj> <die> eröffnet, und der <der> wurde <getan>.",
            "Laut <person> kostet der <der> etwa <n4> Euro im Jahr.",
            "Da <grund>, wird bei <firm> jede <die> zweimal <getan>.",
            "Die Kunden in <city> mögen <product>, doch die <adj> <die> macht ihnen Sorgen.",
            "Bis <monat> werden <n3> weitere Bestellungen erwartet, falls der <der> kommt.",
            "Über die <die> sind <person> und <person> verschiedener Meinung.",
        ],
    ),
    (
        "opener",
        &[
            "Hallo,",
            "Guten Tag,",
            "Kurze Frage:",
            "Liebes Team,",
            "Ich arbeite bei <firm>.",
            "Es geht um die <adj> <die>.",
            "Für den Bereich <team> in <city>:",
        ],
    ),
    (
        "closer",
        &[
            "Vielen Dank für die schnelle Hilfe!",
            "Ich brauche es bis <tag>.",
            "Mit freundlichen Grüßen, <person>",
            "Bitte antworten Sie bald.",
            "Danke und Grüße aus <city>.",
            "Es ist für <firm>.",
        ],
    ),
    (
        "vague",
        &[
            "Bitte das Gleiche noch einmal für die <adj> <die> in <city>.",
            "Und wie sieht es mit der <die> von <firm> im <monat> aus?",
            "Bitte den Fall <id> mit <person> noch einmal ansehen.",
        ],
    ),
    (
        "constraint",
        &[
            "Höchstens <n2> Wörter.",
            "Verwende das Wort <die> genau zweimal.",
            "Schließe mit einer Frage zu <city>.",
            "Wäge beide Seiten ab.",
            "Nenne ausdrücklich, was unsicher ist.",
            "Ordne die Punkte nach Wichtigkeit.",
            "Schreibe für Leser ohne Vorwissen.",
        ],
    ),
    (
        "faq",
        &[
            "wo bleibt meine <die> <id>? Sie sollte am <tag> kommen.",
            "wie kündige ich das Abo für <product> vor <monat>?",
            "mein <product> zeigt seit <tag> den Fehler <n3>, was nun?",
            "kann ich die Adresse der Bestellung <id> auf <city> ändern?",
            "mir wurden <n2> Euro doppelt abgebucht, bitte <id> prüfen.",
            "wann haben Sie am <tag> in <city> geöffnet?",
        ],
    ),
    (
        "review",
        &[
            "Das <product> kam am <tag> und die <die> war sofort <getan>.",
            "Nie wieder, die <adj> <die> ist kaputt und niemand meldet sich.",
            "Fünf Sterne für <firm>, sehr nette Leute in <city>.",
            "Tut, was es soll; <n2> Euro sind in Ordnung.",
        ],
    ),
    (
        "classify",
        &[
            "Ist diese Bewertung positiv, negativ oder neutral?",
            "Welche Abteilung ist zuständig, <team> oder <team>?",
            "Antworte mit einem Wort, dringend oder normal:",
        ],
    ),
    (
        "rewrite",
        &[
            "Formuliere diese E-Mail an <person> freundlicher:",
            "Bitte mache aus diesen Notizen ein höfliches Schreiben an <firm>:",
            "Korrigiere die Rechtschreibung und kürze den Text:",
        ],
    ),
    (
        "summarise",
        &[
            "Fasse die folgenden Notizen in <n1> Sätzen zusammen:",
            "Was sind die Hauptpunkte dieses Berichts für <firm>?",
            "Bitte eine kurze Zusammenfassung des Protokolls vom <tag>:",
        ],
    ),
    (
        "fact",
        &[
            "Wie weit ist es von <city> nach <city>?",
            "Was kostet eine <die> im Durchschnitt in <city>?",
            "Wer ist in einer kleinen Firma für die <adj> <die> zuständig?",
            "Erkläre kurz, was eine <adj> <die> ist.",
        ],
    ),
    (
        "rare_fact",
        &[
            "Welcher Vertrag beendete den Streit um <coin>, und was änderte er für <city>?",
            "Worin unterscheidet sich das Verfahren nach <coin> von dem nach <coin>?",
            "Was schloss <surname> 18<n2> aus den Funden von <coin> bei <city>?",
        ],
    ),
    (
        "creative",
        &[
            "Schreibe ein kurzes Gedicht über die <adj> <die> in <city>.",
            "Erfinde einen Werbespruch für <product> von <firm>.",
            "Erzähle eine Gutenachtgeschichte, in der <person> eine <adj> <die> findet.",
        ],
    ),
    (
        "document",
        &[
            "Wer hat laut dem folgenden Dokument die <die> <getan>, und warum?",
            "Liste alle Pflichten von <firm> auf, die im Text stehen.",
            "Welche Aussagen über <city> widersprechen sich im Text?",
        ],
    ),
    (
        "followup",
        &[
            "Nein, ich meinte die <adj> <die> aus <city>.",
            "Und was ist, wenn der <der> fehlt?",
            "Können Sie stattdessen <id> prüfen?",
            "Es steht immer noch <n3> da. Was nun?",
        ],
    ),
    (
        "reply",
        &[
            "Ich sehe, dass <id> am <tag> <getan> wurde.",
            "Das tut mir leid. Um welche <die> geht es?",
            "Der Bereich <team> antwortet meist in <n1> Tagen.",
            "Bitte starten Sie <product> neu.",
        ],
    ),
    (
        "idiom",
        &[
            "Bei der <die> ist <person> ins Fettnäpfchen getreten.",
            "Mit dem <der> steht <firm> auf dünnem Eis.",
            "In <city> beißt die Maus bei der <die> keinen Faden ab.",
        ],
    ),
    (
        "translate",
        &[
            "Übersetze ins <tongue>:",
            "Bitte ins <tongue> übertragen:",
            "Ich brauche den Text ins <tongue> übersetzt:",
        ],
    ),
    ("tongue", &["Englische", "Französische", "Spanische", "Japanische", "Polnische"]),
];
