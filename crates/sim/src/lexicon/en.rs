//! English: everyday business and home, the ground that all families share.

/// English slots.
pub(super) const TABLE: super::Table = &[
    (
        "noun",
        &[
            "invoice", "order", "shipment", "contract", "schedule", "booking", "subscription",
            "refund", "warehouse", "meeting", "budget", "newsletter", "account", "delivery",
            "report", "prototype", "survey", "workshop", "ticket", "payment", "forecast",
            "catalogue", "training", "release", "backup", "interview", "lease", "permit", "recipe",
            "garden", "bicycle", "generator", "library", "timetable", "insurance", "festival",
        ],
    ),
    (
        "adj",
        &[
            "late", "new", "annual", "broken", "missing", "urgent", "revised", "regional", "final",
            "small", "unexpected", "monthly", "expensive", "quiet", "outdated", "shared",
            "temporary", "duplicate", "public", "complicated", "winter", "second",
        ],
    ),
    (
        "team",
        &[
            "sales", "finance", "support", "engineering", "logistics", "marketing", "legal",
            "purchasing", "research", "facilities", "payroll", "quality",
        ],
    ),
    (
        "did",
        &[
            "postponed", "approved", "cancelled", "reviewed", "lost", "replaced", "doubled",
            "praised", "questioned", "inspected", "shortened", "archived", "renewed", "repaired",
            "sold", "measured",
        ],
    ),
    (
        "day",
        &["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"],
    ),
    (
        "month",
        &[
            "January", "February", "March", "April", "May", "June", "July", "August", "September",
            "October", "November", "December",
        ],
    ),
    (
        "reason",
        &[
            "the supplier in <city> was closed", "nobody had read the <adj> <noun>",
            "the price rose by <n2> percent", "<person> was on holiday",
            "a customer from <city> complained", "the <team> team asked for it",
            "the figures for <month> were wrong", "it rained for <n1> days",
        ],
    ),
    (
        "sentence",
        &[
            "The <team> team <did> the <adj> <noun> because <reason>.",
            "In <month>, <person> <surname> <did> <n1> of the <n2> items in <city>.",
            "<firm> opened a <adj> <noun> near <city> and <did> the old one.",
            "According to <person>, the <noun> costs about <n4> euros a year, which the <team> team <did>.",
            "On <day> the <noun> arrived <adj>, although <reason>.",
            "Since <reason>, every <noun> for <firm> is <did> twice.",
            "Customers in <city> like the <product>, but the <adj> <noun> worries them.",
            "The board expects <n3> more orders by <month> if the <noun> is <did>.",
            "<person> and <person> disagree about the <adj> <noun>, and <reason>.",
            "Nothing was said about the <noun>, so <firm> <did> it on <day>.",
        ],
    ),
    (
        "opener",
        &[
            "Hi,", "Hello there,", "Quick question:", "Good morning,", "Hey,",
            "I work in <team> at <firm>.", "This is about the <adj> <noun>.",
            "I have a <noun> due on <day>.", "For the <team> team in <city>:",
            "Sorry to bother you again,", "Could you help me?", "One more thing for <person>:",
        ],
    ),
    (
        "closer",
        &[
            "Thanks a lot for the help!", "I need it by <day>, please.", "Thank you, <person>",
            "It is for <firm>, so please be careful.", "No hurry, <day> is fine.",
            "Best wishes from <city>.", "My <noun> depends on it.", "Please answer soon.",
        ],
    ),
    (
        "vague",
        &[
            "Same as before, but now for the <adj> <noun> in <city>, please.",
            "Can you do that again for <person>'s <noun> and the <adj> one?",
            "And what about the <noun> of <firm> from <month>?",
            "Please have another look at the <adj> <noun> <id>.",
            "Help me with the <noun> for <firm>, as on <day>.",
            "That did not work for the <adj> <noun>; try it the other way for <city>.",
        ],
    ),
    (
        "constraint",
        &[
            "Keep it under <n2> words.", "Mention the <noun> exactly twice.",
            "Do not use the word <noun>.", "Write for readers who have never seen a <noun>.",
            "End with a question about <city>.", "Include a caveat for the <team> team.",
            "Weigh both sides before you conclude.", "Order the points by importance.",
            "Every paragraph must start with a different letter.",
            "Avoid adjectives wherever possible.", "State explicitly what is uncertain.",
        ],
    ),
    (
        "faq",
        &[
            "where is my <noun> <id>? It should have come on <day>.",
            "how do I cancel the <product> <noun> before <month>?",
            "my <product> shows error <n3> after the <adj> <noun>, what now?",
            "can I change the address of order <id> to <city>?",
            "I was charged <n2> euros twice for the <product>, please check <id>.",
            "what are your opening hours in <city> on <day>?",
            "does the <product> come with a <noun>, and how long is the warranty?",
            "I forgot the password of my <firm> account, user <person><n2>.",
        ],
    ),
    (
        "review",
        &[
            "The <product> arrived on <day> and the <noun> was <did> within <n1> hours.",
            "I wanted to like the <product>, but the <adj> <noun> spoils it.",
            "Five stars for <firm>: friendly people in <city>, no waiting.",
            "Never again, my <noun> is <adj> and nobody in <team> answers.",
            "It does what it says, nothing more; <n2> euros is fair for a <noun>.",
            "Great, another <adj> <noun>, just what I needed, thank you so much, <firm>.",
            "My mother uses the <product> daily, I would not.",
        ],
    ),
    (
        "classify",
        &[
            "Is this review positive, negative or neutral?",
            "Label the message as complaint, question or praise:",
            "Which department should get this: <team>, <team> or <team>?",
            "Answer with one word, urgent or normal:",
            "Tag the sentiment of this feedback from <city>:",
        ],
    ),
    (
        "rewrite",
        &[
            "Rewrite this email to <person> in a friendlier tone:",
            "Please make the following note about the <noun> more formal:",
            "Draft a reply to <person> <surname> about the <adj> <noun>. My notes:",
            "Correct the spelling and shorten this for the <team> team:",
            "Turn these points into a polite message to <firm>:",
        ],
    ),
    (
        "summarise",
        &[
            "Summarise the following notes in <n1> sentences:",
            "What are the main points of this report for <firm>?",
            "Give me a short summary of this for the <team> team:",
            "tl;dr of the minutes from <day>, please:",
            "Condense this text about the <noun> into <n1> bullet points:",
        ],
    ),
    (
        "fact",
        &[
            "What is the usual size of a <noun> in <city>?", "How far is it from <city> to <city>?",
            "Who is responsible for a <adj> <noun> in a small firm?",
            "In which year was the harbour of <city> opened, roughly?",
            "What does a <noun> cost on average near <city>?",
            "Which museum in <city> should I see on a <day>?",
            "Explain in one paragraph what a <adj> <noun> is.",
        ],
    ),
    (
        "rare_fact",
        &[
            "Which treaty ended the <coin> dispute, and what did it change for <city>?",
            "How does the <coin> method differ from the <coin> procedure in hydrology?",
            "Name the <n1> provisions of the <coin> ordinance on <noun> inspection.",
            "What did <surname> conclude about <coin> deposits near <city> in 18<n2>?",
            "Why was the <coin> manuscript attributed to the school of <city>?",
            "What is the accepted etymology of the term <coin>?",
        ],
    ),
    (
        "creative",
        &[
            "Write a short poem about a <adj> <noun> in <city>.",
            "Invent a slogan for the <product> by <firm>.",
            "Tell a bedtime story in which <person> finds a <adj> <noun>.",
            "Write a product description of the <product> for a <noun> shop.",
            "Compose a social media post: <firm> celebrates its <adj> <noun> in <city>.",
            "Suggest <n1> names for a café next to the <noun> in <city>.",
        ],
    ),
    (
        "document",
        &[
            "According to the document below, who <did> the <noun>, and why?",
            "Read the text and list every obligation of <firm> concerning the <noun>.",
            "Which statements below about <city> contradict each other?",
            "Based only on the following pages, what happens to the <noun> in <month>?",
            "Find every sentence about the <team> team and explain what it implies for the <noun>.",
        ],
    ),
    (
        "followup",
        &[
            "And what if the <noun> is <adj>?", "No, I meant the <adj> one from <city>.",
            "Okay, but <person> says the <team> team <did> it already.",
            "Can you check <id> instead?", "Why would that help with the <noun>?",
            "It still says <n3>. What else can I try?", "Could you explain that more simply?",
        ],
    ),
    (
        "reply",
        &[
            "I see that <id> was <did> on <day>. Would you like me to look at the <noun>?",
            "You can find it in the <noun> menu under <product>.",
            "I am sorry about the <adj> <noun>. Which city is it for?",
            "The <team> team usually answers within <n1> days.",
            "Please restart the <product> and try again.",
            "There are <n1> options: keep the <noun>, return it, or wait until <month>.",
        ],
    ),
    (
        "idiom",
        &[
            "<person> let the cat out of the bag about the <noun>.",
            "With the <adj> <noun>, <firm> is skating on thin ice.",
            "The <team> team has bigger fish to fry than the <noun> of <city>.",
            "That <noun> is neither here nor there, quoth <person>, and took French leave.",
        ],
    ),
    (
        "translate",
        &[
            "Translate this into <tongue>:", "How do you say this in <tongue>?",
            "I need the following text in <tongue>:", "<tongue> version of this, please:",
        ],
    ),
    ("tongue", &["German", "French", "Spanish", "Japanese", "Chinese", "Polish", "Turkish"]),
];
