//! Spanish. Nouns come in groups by gender, so that articles agree.

/// Spanish slots.
pub(super) const TABLE: super::Table = &[
    (
        "la",
        &[
            "factura",
            "entrega",
            "reserva",
            "reunión",
            "garantía",
            "encuesta",
            "solicitud",
            "campaña",
            "receta",
            "biblioteca",
            "póliza",
            "máquina",
            "licencia",
            "agenda",
            "propuesta",
            "nómina",
        ],
    ),
    (
        "el",
        &[
            "pedido",
            "contrato",
            "informe",
            "horario",
            "pago",
            "presupuesto",
            "catálogo",
            "jardín",
            "reembolso",
            "paquete",
            "billete",
            "taller",
        ],
    ),
    (
        "adj",
        &[
            "nueva",
            "anual",
            "perdida",
            "urgente",
            "definitiva",
            "regional",
            "cara",
            "antigua",
            "inesperada",
            "compartida",
            "retrasada",
            "sencilla",
        ],
    ),
    ("team", &["ventas", "finanzas", "compras", "logística", "soporte", "calidad", "personal"]),
    (
        "hecho",
        &[
            "revisado",
            "cancelado",
            "aprobado",
            "sustituido",
            "aplazado",
            "vendido",
            "medido",
            "archivado",
            "renovado",
            "criticado",
            "acortado",
        ],
    ),
    ("dia", &["lunes", "martes", "miércoles", "jueves", "viernes", "sábado"]),
    (
        "mes",
        &["enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "septiembre", "octubre"],
    ),
    (
        "motivo",
        &[
            "el proveedor de <city> estaba cerrado",
            "<person> estaba de vacaciones",
            "el precio subió un <n2> por ciento",
            "se quejó un cliente de <city>",
            "nadie había leído la <la> <adj>",
            "las cifras de <mes> estaban mal",
        ],
    ),
    (
        "sentence",
        &[
            "El equipo de <team> ha <hecho> el <el> porque <motivo>.",
            "En <mes>, <person> <surname> ha <hecho> <n2> casos en <city>.",
            "<firm> abrió una <la> <adj> cerca de <city> y ha <hecho> el <el>.",
            "Según <person>, el <el> cuesta unos <n4> euros al año.",
            "Como <motivo>, en <firm> el <el> es <hecho> dos veces.",
            "A los clientes de <city> les gusta <product>, pero la <la> <adj> les preocupa.",
            "Para <mes> se esperan <n3> pedidos más si el <el> es <hecho>.",
            "<person> y <person> no están de acuerdo sobre la <la> <adj>.",
        ],
    ),
    (
        "opener",
        &[
            "Hola,",
            "Buenos días,",
            "Una pregunta rápida:",
            "Buenas tardes,",
            "Trabajo en <firm>.",
            "Se trata de la <la> <adj>.",
            "Para el equipo de <team> en <city>:",
        ],
    ),
    (
        "closer",
        &[
            "¡Muchas gracias por la ayuda!",
            "Lo necesito antes del <dia>.",
            "Saludos, <person>",
            "Por favor, contesten pronto.",
            "Un saludo desde <city>.",
            "Es para <firm>.",
        ],
    ),
    (
        "vague",
        &[
            "Lo mismo para la <la> <adj> de <city>, por favor.",
            "¿Y qué pasa con el <el> de <firm> en <mes>?",
            "Mira otra vez el caso <id> con <person>.",
        ],
    ),
    (
        "constraint",
        &[
            "Menos de <n2> palabras.",
            "Usa la palabra <la> exactamente dos veces.",
            "Termina con una pregunta sobre <city>.",
            "Sopesa los dos lados.",
            "Indica qué es incierto.",
            "Ordena los puntos por importancia.",
            "Escribe para lectores sin experiencia.",
        ],
    ),
    (
        "faq",
        &[
            "¿dónde está mi paquete <id>? Debía llegar el <dia>.",
            "¿cómo cancelo la suscripción de <product> antes de <mes>?",
            "mi <product> muestra el error <n3> desde el <dia>, ¿qué hago?",
            "¿puedo enviar el pedido <id> a <city>?",
            "me han cobrado <n2> euros dos veces, revisen <id>.",
            "¿qué horario tienen en <city> el <dia>?",
        ],
    ),
    (
        "review",
        &[
            "El <product> llegó el <dia> y la <la> es perfecta.",
            "Nunca más, la <la> está rota y nadie contesta.",
            "Cinco estrellas para <firm>, gente muy amable en <city>.",
            "Cumple, nada más; <n2> euros es un precio justo.",
        ],
    ),
    (
        "classify",
        &[
            "¿Esta reseña es positiva, negativa o neutra?",
            "¿Qué departamento debe recibirlo, <team> o <team>?",
            "Responde con una palabra, urgente o normal:",
        ],
    ),
    (
        "rewrite",
        &[
            "Reescribe este correo a <person> con un tono más amable:",
            "Convierte estas notas en un mensaje cortés para <firm>:",
            "Corrige las faltas y acorta este texto:",
        ],
    ),
    (
        "summarise",
        &[
            "Resume las siguientes notas en <n1> frases:",
            "¿Cuáles son los puntos principales de este informe para <firm>?",
            "Un breve resumen del acta del <dia>, por favor:",
        ],
    ),
    (
        "fact",
        &[
            "¿Qué distancia hay entre <city> y <city>?",
            "¿Cuánto cuesta de media una <la> en <city>?",
            "¿Quién se ocupa de una <la> <adj> en una empresa pequeña?",
            "Explica en un párrafo qué es una <la> <adj>.",
        ],
    ),
    (
        "rare_fact",
        &[
            "¿Qué tratado puso fin a la disputa de <coin> y qué cambió para <city>?",
            "¿En qué se diferencia el método de <coin> del de <coin>?",
            "¿Qué concluyó <surname> en 18<n2> sobre los depósitos de <coin> cerca de <city>?",
        ],
    ),
    (
        "creative",
        &[
            "Escribe un poema corto sobre una <la> <adj> en <city>.",
            "Inventa un eslogan para <product> de <firm>.",
            "Cuenta una historia en la que <person> encuentra una <la> <adj>.",
        ],
    ),
    (
        "document",
        &[
            "Según el documento, ¿quién ha <hecho> el <el> y por qué?",
            "Enumera todas las obligaciones de <firm> en este texto.",
            "¿Qué frases sobre <city> se contradicen?",
        ],
    ),
    (
        "followup",
        &[
            "No, me refería a la <la> de <city>.",
            "¿Y si el <el> no llega?",
            "¿Puede revisar <id> en su lugar?",
            "Sigue diciendo <n3>. ¿Qué más hago?",
        ],
    ),
    (
        "reply",
        &[
            "Veo que <id> fue <hecho> el <dia>.",
            "Lo siento. ¿De qué <la> se trata?",
            "El equipo de <team> responde en <n1> días.",
            "Reinicie el <product>, por favor.",
        ],
    ),
    (
        "idiom",
        &[
            "Con la <la>, <person> se fue por los cerros de Úbeda.",
            "En <city>, <firm> le buscó tres pies al gato con el <el>.",
            "<person> dejó el <el> en agua de borrajas.",
        ],
    ),
    (
        "translate",
        &["Traduce al <tongue>:", "¿Cómo se dice esto en <tongue>?", "Necesito esto en <tongue>:"],
    ),
    ("tongue", &["inglés", "alemán", "francés", "japonés", "polaco"]),
];
