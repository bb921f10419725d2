//! French. Nouns come in groups by gender, so that articles agree.

/// French slots.
pub(super) const TABLE: super::Table = &[
    (
        "la",
        &[
            "facture",
            "commande",
            "livraison",
            "réunion",
            "formation",
            "garantie",
            "brochure",
            "demande",
            "prévision",
            "réservation",
            "réparation",
            "machine",
            "bibliothèque",
            "recette",
            "campagne",
            "convention",
        ],
    ),
    (
        "le",
        &[
            "contrat",
            "rapport",
            "calendrier",
            "paiement",
            "budget",
            "colis",
            "catalogue",
            "jardin",
            "vélo",
            "remboursement",
            "dossier",
            "billet",
        ],
    ),
    (
        "adj",
        &[
            "annuelle",
            "perdue",
            "urgente",
            "nouvelle",
            "définitive",
            "régionale",
            "chère",
            "inattendue",
            "partagée",
            "retardée",
            "simple",
            "ancienne",
        ],
    ),
    (
        "team",
        &["ventes", "finances", "achats", "logistique", "marketing", "juridique", "assistance"],
    ),
    (
        "fait",
        &[
            "vérifié",
            "annulé",
            "approuvé",
            "remplacé",
            "reporté",
            "vendu",
            "mesuré",
            "archivé",
            "renouvelé",
            "critiqué",
            "raccourci",
        ],
    ),
    ("jour", &["lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi"]),
    (
        "mois",
        &["janvier", "février", "mars", "avril", "mai", "juin", "juillet", "septembre", "octobre"],
    ),
    (
        "raison",
        &[
            "le fournisseur de <city> était fermé",
            "<person> était en vacances",
            "le prix a augmenté de <n2> pour cent",
            "un client de <city> s'est plaint",
            "personne n'avait lu la <la> <adj>",
            "les chiffres de <mois> étaient faux",
        ],
    ),
    (
        "sentence",
        &[
            "Le service <team> a <fait> le <le> parce que <raison>.",
            "En <mois>, <person> <surname> a <fait> <n2> dossiers à <city>.",
            "<firm> a ouvert une <la> <adj> près de <city> et a <fait> le <le>.",
            "Selon <person>, le <le> coûte environ <n4> euros par an.",
            "Comme <raison>, chez <firm> le <le> est <fait> deux fois.",
            "Les clients de <city> aiment <product>, mais la <la> <adj> les inquiète.",
            "D'ici <mois>, on attend <n3> commandes de plus si le <le> est <fait>.",
            "<person> et <person> ne sont pas d'accord sur la <la> <adj>.",
        ],
    ),
    (
        "opener",
        &[
            "Bonjour,",
            "Bonsoir,",
            "Petite question :",
            "Chère équipe,",
            "Je travaille chez <firm>.",
            "C'est au sujet de la <la> <adj>.",
            "Pour le service <team> à <city> :",
        ],
    ),
    (
        "closer",
        &[
            "Merci beaucoup pour votre aide !",
            "Il me le faut avant <jour>.",
            "Cordialement, <person>",
            "Merci de répondre rapidement.",
            "Salutations de <city>.",
            "C'est pour <firm>.",
        ],
    ),
    (
        "vague",
        &[
            "La même chose pour la <la> <adj> de <city>, s'il vous plaît.",
            "Et pour le <le> de <firm> en <mois>, alors ?",
            "Merci de revoir le dossier <id> avec <person>.",
        ],
    ),
    (
        "constraint",
        &[
            "Moins de <n2> mots.",
            "Emploie le mot <la> exactement deux fois.",
            "Termine par une question sur <city>.",
            "Pèse le pour et le contre.",
            "Précise ce qui reste incertain.",
            "Classe les points par importance.",
            "Écris pour des lecteurs débutants.",
        ],
    ),
    (
        "faq",
        &[
            "où est mon colis <id> ? Il devait arriver <jour>.",
            "comment résilier l'abonnement <product> avant <mois> ?",
            "mon <product> affiche l'erreur <n3> depuis <jour>, que faire ?",
            "puis-je envoyer la commande <id> à <city> plutôt ?",
            "on m'a prélevé <n2> euros deux fois, vérifiez <id> s'il vous plaît.",
            "quels sont vos horaires à <city> le <jour> ?",
        ],
    ),
    (
        "review",
        &[
            "Le <product> est arrivé <jour>, la <la> est parfaite.",
            "Plus jamais, la <la> est cassée et personne ne répond.",
            "Cinq étoiles pour <firm>, des gens charmants à <city>.",
            "Correct, sans plus ; <n2> euros, c'est honnête.",
        ],
    ),
    (
        "classify",
        &[
            "Cet avis est-il positif, négatif ou neutre ?",
            "Quel service doit traiter ceci, <team> ou <team> ?",
            "Réponds par un mot, urgent ou normal :",
        ],
    ),
    (
        "rewrite",
        &[
            "Réécris ce courriel à <person> sur un ton plus aimable :",
            "Transforme ces notes en message poli pour <firm> :",
            "Corrige les fautes et raccourcis ce texte :",
        ],
    ),
    (
        "summarise",
        &[
            "Résume les notes suivantes en <n1> phrases :",
            "Quels sont les points principaux de ce rapport pour <firm> ?",
            "Un court résumé du compte rendu de <jour>, merci :",
        ],
    ),
    (
        "fact",
        &[
            "Quelle est la distance entre <city> et <city> ?",
            "Combien coûte en moyenne une <la> à <city> ?",
            "Qui s'occupe d'une <la> <adj> dans une petite entreprise ?",
            "Explique en un paragraphe ce qu'est une <la> <adj>.",
        ],
    ),
    (
        "rare_fact",
        &[
            "Quel traité mit fin au différend de <coin>, et avec quel effet sur <city> ?",
            "En quoi la méthode de <coin> diffère-t-elle de celle de <coin> ?",
            "Que conclut <surname> en 18<n2> des gisements de <coin> près de <city> ?",
        ],
    ),
    (
        "creative",
        &[
            "Écris un court poème sur une <la> <adj> à <city>.",
            "Invente un slogan pour le <product> de <firm>.",
            "Raconte une histoire où <person> trouve une <la> <adj>.",
        ],
    ),
    (
        "document",
        &[
            "D'après le document ci-dessous, qui a <fait> le <le>, et pourquoi ?",
            "Liste toutes les obligations de <firm> dans ce texte.",
            "Quelles phrases sur <city> se contredisent ?",
        ],
    ),
    (
        "followup",
        &[
            "Non, je parlais de la <la> de <city>.",
            "Et si le <le> n'arrive pas ?",
            "Pouvez-vous vérifier <id> à la place ?",
            "Il affiche encore <n3>. Que faire ?",
        ],
    ),
    (
        "reply",
        &[
            "Je vois que <id> a été <fait> <jour>.",
            "Je suis désolé. De quelle <la> s'agit-il ?",
            "Le service <team> répond sous <n1> jours.",
            "Veuillez redémarrer le <product>.",
        ],
    ),
    (
        "idiom",
        &[
            "Pour la <la>, <person> a vendu la mèche à <city>.",
            "Avec ce <le>, <firm> marche sur des œufs.",
            "Le <le> de <city>, <person> s'en moque comme de l'an quarante.",
        ],
    ),
    (
        "translate",
        &[
            "Traduis en <tongue> :",
            "Comment dit-on cela en <tongue> ?",
            "Il me faut ceci en <tongue> :",
        ],
    ),
    ("tongue", &["anglais", "allemand", "espagnol", "japonais", "polonais"]),
];
