//! Names that are the same in every language: people, places, invented firms and products.

/// Slots without language.
pub(super) const TABLE: super::Table = &[
    (
        "person",
        &[
            "Amara", "Anselm", "Bettina", "Bruno", "Cosima", "Dario", "Edda", "Farid", "Gesa",
            "Hamid", "Ines", "Jorun", "Kenji", "Leila", "Marek", "Nadia", "Oskar", "Pilar",
            "Quentin", "Rosa", "Selma", "Tomas", "Uma", "Viktor", "Wanda", "Xenia", "Yusuf",
            "Zofia",
        ],
    ),
    (
        "surname",
        &[
            "Abendroth", "Bellweather", "Castellan", "Dunmore", "Eriksen", "Fontaine", "Grabowski",
            "Hartwell", "Ibarra", "Juhasz", "Kowal", "Lindqvist", "Marchetti", "Nakata", "Okafor",
            "Petrov", "Quill", "Rautio", "Sandoval", "Takeda", "Ueda", "Varga",
        ],
    ),
    (
        "city",
        &[
            "Aarhus", "Bergen", "Bilbao", "Bologna", "Cork", "Dresden", "Gdansk", "Ghent", "Graz",
            "Leeds", "Lyon", "Malmo", "Nagoya", "Nantes", "Osaka", "Porto", "Quito", "Riga",
            "Sapporo", "Sevilla", "Suzhou", "Tampere", "Tartu", "Trieste", "Turin", "Utrecht",
            "Valencia", "Vilnius",
        ],
    ),
    (
        "firm",
        &[
            "Alderbrook", "Basaltine", "Copperlane", "Driftwell", "Eastmarch", "Fennimore",
            "Gantry & Sons", "Hollowpine", "Inkstone", "Juniper Freight", "Kestrelby", "Larkmoor",
            "Millrace", "Northquay", "Oakhollow", "Pellworm", "Quarrygate", "Ropewalk",
            "Saltmarsh", "Tidewater Tools", "Umberfield", "Vellum", "Weirside", "Yarrow",
        ],
    ),
    (
        "product",
        &[
            "AquaLoom", "BriskKettle", "CloudLedger", "DockMate", "EchoPad", "FernLamp",
            "GlidePress", "HaloDesk", "InkFold", "JoltCharger", "KiteCam", "LumaSync",
            "MossFilter", "NimbusPay", "OrbitScale", "PlanPilot", "QuietFan", "RailPass Plus",
            "SnapTill", "TrailBox", "UnityHub", "VaultKey", "WarmSole", "ZipRoster",
        ],
    ),
    (
        "id_prefix",
        &["AB", "CX", "DN", "FR", "GK", "HL", "JW", "KP", "MT", "NV", "PQ", "RS", "TX", "VY", "ZB"],
    ),
    (
        "syllable_a",
        &[
            "Thar", "Vel", "Quor", "Zan", "Mish", "Bru", "Oste", "Kla", "Fen", "Ghar", "Ulm", "Pry",
            "Sket", "Dro", "Yv", "Ceph", "Lor", "Nax",
        ],
    ),
    (
        "syllable_b",
        &["no", "ri", "ga", "the", "lu", "mo", "ska", "ve", "do", "phi", "ra", "ste", "qua", "bel"],
    ),
    (
        "syllable_c",
        &["vian", "dine", "thus", "kar", "mere", "lith", "gorn", "xis", "nese", "tide", "rak", "zole"],
    ),
];
