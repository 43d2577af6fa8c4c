// docs/sql.md: what the dialect has, written from the tables that the planner itself uses.

import Kernels
import Planning

/// The SQL reference as Markdown. A test compares the committed file with it.
public func sqlReference() -> String {
    sqlReferenceText + "\n## Functions and operators\n\n" + functionTable() + "\n## Options\n\n"
        + optionsMarkdown()
}

/// One line a name, with every overload's parameters.
private func functionTable() -> String {
    var lines = ["| name | takes | what it does |", "|---|---|---|"]
    var shown: Set<String> = []
    for function in FunctionTable.all where shown.insert(function.name).inserted {
        let overloads = FunctionTable.overloads(of: function.name)
        let takes = overloads.map { overload in
            overload.parameters.map(\.description).joined(separator: ", ")
                + (overload.isVariadic ? " …" : "")
        }
        let unique = takes.reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
        lines.append(
            "| `\(escaped(function.name))` | \(escaped(unique.joined(separator: "; "))) "
                + "| \(escaped(function.summary)) |")
    }
    return lines.joined(separator: "\n") + "\n"
}

/// A bar would end the table's cell.
private func escaped(_ text: String) -> String { text.replacing("|", with: "\\|") }

private let sqlReferenceText = """
    # SQL reference

    The grammar is PostgreSQL 15's; an expression means what it means there. This page is generated
    (`MILLRACE_UPDATE_DOCS=1 swift test --filter SQLReferenceTests`).

    ## Statements

    | statement | what it does |
    |---|---|
    | `SET name = 'value'` | a setting of the file, or of the statements after it |
    | `CREATE TYPE name AS (…)` | a row type: nested objects, read as `(row).field` |
    | `CREATE FUNCTION … LANGUAGE SQL` | one expression, inlined at each call |
    | `CREATE TABLE … USING connector WITH (…)` | a source or a sink |
    | `CREATE VIEW` | inlined where it is read |
    | `CREATE MATERIALIZED VIEW … USING connector WITH (…) AS` | an output |
    | `INSERT INTO table SELECT …` | an output; several into one table are UNION ALL |

    `${NAME}` and `${NAME:-default}` inside string constants are read from the environment.

    ## FROM and windows

    Tables, views, CTEs, subqueries, `UNION ALL`, `UNION`, and the window functions

    | function | windows |
    |---|---|
    | `tumble(t, ts, size)` | one after the other |
    | `hop(t, ts, slide, size)` | of `size`, one each `slide` |
    | `cumulate(t, ts, step, size)` | growing by `step` up to `size` |
    | `session(t, ts, gap [, partition_by => (a, b)])` | rows of a key at most `gap` apart |

    which add `window_start` and `window_end`. Grouped by a window's bound, a result appears once,
    when the watermark passes the window's end; `emit = 'on_change'` gives early results as
    upserts. A row is late by its own partition's watermark, a window closes by the minimum over
    all: results do not depend on how partitions interleave, on batch size or on the number of
    workers.

    The keys of a session are the other GROUP BY columns, unless `partition_by` names them. Then
    its rows can be grouped by anything beside `window_end`, or selected as they are, each with
    its session's bounds: they leave when the session closes.

    A window over `_extracted_at` is closed by the clock, and a row is never late in it: another
    run gives other windows. `event_time = '_timestamp'`, the record's own time, gives the same.

    Aggregates: `count`, `sum`, `min`, `max`, `avg`, `bool_and`, `bool_or`, `first`, `last`,
    `stddev`, `stddev_samp`, `stddev_pop`, `variance`, `var_samp`, `var_pop`,
    `approx_count_distinct`, `array_agg`, `string_agg`, each with DISTINCT, FILTER and, where it
    matters, ORDER BY. Sums do not depend on order, floating-point ones neither.

    Without a window an aggregate is updating: its rows are upserted by the grouping key, a group
    whose last row was taken back is deleted.

    ## What is refused

    Joins, `OVER`, top-N, `DISTINCT ON`, INTERSECT, EXCEPT, subqueries in expressions, and in
    outputs ORDER BY, LIMIT and `now()`: each by name, with its place. They come with later
    versions.

    ## Where it differs from PostgreSQL

    - Numerics have at most 38 digits and a static scale; `power`, `sqrt`, `ln`, `stddev` … of
      numerics are double precision.
    - Text compares by bytes (collation "C"). Regular expressions are PCRE2's: an alternation
      takes the first match, POSIX the longest.
    - `SET time_zone` is for expressions; what is read from JSON without a zone, and what sinks and
      `query` write, is UTC.
    - A row whose expression fails is dead-lettered; it does not stop the query.

    """
