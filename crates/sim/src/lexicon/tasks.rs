//! Technical tasks, in English: code, databases, tables, arithmetic, logic, extraction, tools.

/// Slots of technical tasks.
pub(super) const TABLE: super::Table = &[
    ("plang", &["Python", "JavaScript", "TypeScript", "Go", "Rust", "Java", "C", "Kotlin", "Ruby"]),
    (
        "ident",
        &[
            "total", "items", "order", "rate", "cursor", "buffer", "queue", "stock", "user",
            "limit", "offset", "rows", "price", "ledger", "token", "batch", "route", "window",
        ],
    ),
    (
        "verb_ident",
        &[
            "load", "merge", "parse", "count", "split", "flush", "group", "rank", "sync", "apply",
            "fetch", "trim", "pack", "resolve", "score",
        ],
    ),
    (
        "code_ask",
        &[
            "Write a <plang> function that <code_task>.",
            "Implement in <plang> a small module which <code_task>.",
            "I need <plang> code for the <team> team that <code_task>.",
            "How would you write something in <plang> that <code_task>?",
            "Give me a <plang> class for a <noun> service; it <code_task>.",
        ],
    ),
    (
        "code_task",
        &[
            "merges overlapping <noun> intervals", "parses a list of <noun> lines into records",
            "counts how often each <noun> appears in a file", "validates an identifier such as <id>",
            "groups <noun> records by month and sorts them by <ident>",
            "retries a request to the <product> API up to <n1> times",
            "finds the <n1> closest warehouses to <city>", "flattens a nested <noun> dictionary",
            "converts <noun> amounts between currencies", "removes duplicate <noun> entries",
            "renders a <noun> as a text table with <n2> columns", "caches <ident> lookups for <n2> seconds",
        ],
    ),
    (
        "code_need",
        &[
            "It must not allocate inside the loop.", "Add unit tests for the empty <ident>.",
            "It has to be safe under concurrent writers.", "Do not use recursion.",
            "The running time must be O(n log n) in the number of <ident>s.",
            "Stream the input, it may have <n3> million rows.", "Explain the invariant of the loop.",
            "Handle Unicode and time zones correctly.", "Return typed errors instead of exceptions.",
            "Keep it compatible with the interface of <firm>.", "Support cancellation with a deadline.",
        ],
    ),
    (
        "debug_ask",
        &[
            "Why does this fail with `<code_error>`?",
            "This returns <n2> instead of <n3> for order <id>. What is wrong?",
            "Since <month> the <noun> job hangs here. Can you find the bug?",
            "My colleague <person> says that this code is wrong, but I do not see where:",
            "Please fix this function of the <product> service:",
        ],
    ),
    (
        "code_error",
        &[
            "index out of range: <n2>", "TypeError: <ident> is undefined", "deadlock detected",
            "nil pointer dereference", "KeyError: '<ident>'", "stack overflow at line <n3>",
            "ValueError: <n3> is not a valid <noun>",
        ],
    ),
    (
        "snippet",
        &[
            "def {f}({a}, {b}):\n    {v} = []\n    for i in range(1, len({a})):\n        if {a}[i] > {b}:\n            {v}.append({a}[i - 1])\n    return {v}",
            "func {f}({a} []int, {b} int) int {\n\t{v} := 0\n\tfor i := 0; i <= len({a}); i++ {\n\t\t{v} += {a}[i] % {b}\n\t}\n\treturn {v}\n}",
            "async function {f}({a}, {b}) {\n  let {v} = 0;\n  {a}.forEach(async (x) => {\n    {v} += await {b}(x);\n  });\n  return {v};\n}",
            "int {f}(const int *{a}, int {b}) {\n    int {v};\n    for (int i = 0; i < {b}; ++i)\n        {v} += {a}[i];\n    return {v} / {b};\n}",
            "def {f}({a}, {b}={}):\n    if {a} in {b}:\n        return {b}[{a}]\n    {b}[{a}] = {v} = compute({a})\n    return {v}",
            "while ({a} < {b}) {\n    int {v} = ({a} + {b}) / 2;\n    if ({f}({v})) {a} = {v};\n    else {b} = {v} - 1;\n}",
            "with {f}() as {v}:\n    {a} = {v}.read()\nfor line in {v}:\n    {b}.update(line.split(','))",
        ],
    ),
    (
        "table_name",
        &[
            "orders", "customers", "invoices", "shipments", "payments", "tickets", "stock_levels",
            "employees", "bookings", "suppliers", "returns", "visits",
        ],
    ),
    (
        "column",
        &[
            "city TEXT", "amount NUMERIC", "created_at TIMESTAMP", "status TEXT", "quantity INT",
            "team TEXT", "price NUMERIC", "email TEXT", "weight_kg REAL", "closed_on DATE",
            "rating INT", "discount REAL",
        ],
    ),
    (
        "sql_ask",
        &[
            "Write a query that lists every row from <city> with more than <n2> entries.",
            "Which SQL gives the total amount per month for <firm>?",
            "I need a SELECT for the <team> team: all records since <date>, newest first.",
            "Show me how to find the <adj> <noun> with the id <n4> in this schema.",
            "How many rows were created in <month> and are still open? SQL, please.",
        ],
    ),
    (
        "sql_need",
        &[
            "Use a window function to rank them within each city.",
            "Join the tables without counting any row twice.",
            "Rows without a match must appear with zero.",
            "Add a running total over the last <n2> days.",
            "Exclude customers who returned anything in <month>.",
            "It has to run on SQLite and on Postgres.",
            "Resolve the parent rows recursively.", "Compare each month with the year before.",
        ],
    ),
    (
        "table_ask",
        &[
            "Which row of the table has the highest value in <month>?",
            "What is the sum of the last column for <city>?",
            "Look at the figures of <firm>: where is the largest change?",
            "How many rows in this table are above <n3>?",
            "From the table below, who sold the most, and by how much?",
        ],
    ),
    (
        "table_need",
        &[
            "Ignore rows below <n3>.", "Weight every row by the second column.",
            "Give the median as well as the mean.", "Then compute the share of each city in percent.",
            "Explain which two rows are inconsistent.", "Extrapolate to <month> from the trend.",
        ],
    ),
    (
        "sum_start",
        &[
            "<person> buys <n2> boxes of <n1> parts for a <noun> at <n2> euros a box.",
            "A warehouse in <city> holds <n4> parcels and sends out <n2> on each day.",
            "<firm> sells <n3> tickets at <n2> euros and <n2> at half the price.",
            "A train leaves <city> at <n1>:<n2> with <n3> passengers.",
            "The <noun> of <person> costs <n3> euros plus <n1> percent tax.",
        ],
    ),
    (
        "sum_step",
        &[
            "Then the price falls by <n2> percent.", "One in <n1> is <adj> and has to be sent back.",
            "After <n1> days, <person> adds <n2> more.",
            "The remaining ones are shared between <n1> shops in the ratio <n1> to <n1>.",
            "From then on the number doubles every <n1> weeks.",
            "<person> pays a third of it and interest of <n1> percent on the rest.",
            "At each of the <n1> stops, <n2> are taken away and <n1> returned.",
        ],
    ),
    (
        "sum_ask",
        &[
            "How many are left in the end?", "What does <person> pay in total?",
            "How long does it take until nothing is left?", "What is the average per day?",
            "By how many percent did it change overall?",
        ],
    ),
    (
        "logic_start",
        &[
            "<person>, <person>, <person> and <person> each own one <noun> in a different city.",
            "Plan the shifts of <n1> people in the <team> team from <day> to <day>.",
            "A round table has <n1> seats for the guests of <firm>.",
            "There are <n1> boxes, and only one of them holds the <adj> <noun>.",
            "Schedule <n1> meetings in <n1> rooms of the office in <city>.",
        ],
    ),
    (
        "logic_rule",
        &[
            "<person> never comes directly after <person>.",
            "If the <noun> is in <city>, then <person> has the <adj> one.",
            "Exactly two of the statements are false.",
            "The person from <city> sits opposite the owner of the <noun>.",
            "Nobody may work on <day> and on <day>.", "Either <person> or <person> lies, but not both.",
            "At least <n1> of them must be free on <day>.",
            "Whoever has the <noun> arrived before <person> but after <n1> others.",
        ],
    ),
    (
        "logic_ask",
        &[
            "Who has the <noun>?", "Is there a valid plan, and is it unique?",
            "In which order do they come?", "Which of the rules could be dropped?",
        ],
    ),
    (
        "extract_ask",
        &[
            "Extract the following fields as JSON:", "Return a JSON object with these keys:",
            "Pull these details out of the message below:",
            "Fill in the form from the text; the fields are:",
        ],
    ),
    (
        "field",
        &[
            "name", "order_id", "city", "due_date", "amount", "currency", "product", "team",
            "reason", "quantity", "weekday", "company", "priority", "phone",
        ],
    ),
    (
        "extract_need",
        &[
            "Use null for what is not said.", "Dates in ISO format.",
            "If two values contradict each other, keep the later one and list the other under `conflicts`.",
            "Nest the people under their company.", "Amounts in cents, converted to euros.",
        ],
    ),
    (
        "tool",
        &[
            "search_orders", "get_weather", "create_ticket", "send_email", "list_files",
            "query_stock", "book_room", "convert_currency", "update_contact", "fetch_invoice",
        ],
    ),
    (
        "system",
        &[
            "You are the assistant of <firm>. Be brief and polite.",
            "You help customers in <city> with the <product>. Never promise refunds.",
            "Answer for the <team> team. Ask when something is unclear.",
            "You are a helpful assistant.",
        ],
    ),
    (
        "tool_system",
        &[
            "You can call the tools <tool>, <tool> and <tool>. Use them before you answer.",
            "Agent of <firm>. Tools: <tool>, <tool>. Confirm before you change anything.",
            "Work step by step with <tool> and <tool> until the task of the user is done.",
        ],
    ),
    (
        "tool_ask",
        &[
            "Find the <adj> <noun> <id> and tell <person> when it arrives.",
            "Book something in <city> for <n1> people on <day>.",
            "Check whether the <noun> of <firm> was paid in <month>.",
            "Look up <id> and open a ticket for the <team> team if it is <adj>.",
            "How much stock of the <product> is there in <city>?",
        ],
    ),
    (
        "tool_step",
        &[
            "After that, send the result to <person>.", "Repeat it for every <noun> since <date>.",
            "If that fails, try <tool> with the <id> number.", "Compare it with the price in <city>.",
            "Undo the last change first.", "Stop as soon as the sum exceeds <n3> euros.",
        ],
    ),
    (
        "tool_result",
        &[
            "<n1> results, first <id>, status <adj>, city <city>", "error <n3>: <noun> is locked by <person>",
            "ok, <n2> rows updated on <date>", "stock <n3>, reserved <n2>, warehouse <city>",
            "no match for <id>", "amount <n4>, due <date>, customer <firm>",
        ],
    ),
    (
        "tool_next",
        &[
            "Good, go on with the next one.", "And now the same for the <noun> <id>.",
            "That is not the right <noun>; it is the one from <city>.", "Please finish it for <person> today.",
        ],
    ),
];
