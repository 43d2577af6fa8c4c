// A CREATE TABLE after its checks: what a scan or a sink of it can be made of.

package import Contracts
package import Kernels
package import SQLSyntax
package import Types

/// A declared table. Whether it is a source or a sink depends on its use.
package struct DeclaredTable: Sendable {
    package let name: Name
    package let connector: ConnectorKind
    /// The declared columns in order, then the connector's metadata columns.
    package let columns: [DeclaredColumn]
    package let declaredCount: Int
    /// Positions in `columns`; empty: no key.
    package let primaryKey: [Int]
    package let checks: [DeclaredCheck]
    /// The event time's position in `columns`, if there is one.
    package let eventTime: Int?
    package let options: OptionValues
    package let settings: StatementSettings

    /// All columns as a scan with nothing left out; metadata columns are marked, the event time and
    /// key columns are not nullable.
    package func scope(qualifier: String) -> Scope {
        Scope(
            columns.enumerated().map { position, column in
                ScopeColumn(
                    qualifier: qualifier, name: column.name.text, type: column.type,
                    isNullable: !column.isNotNull, isMetadata: column.metadata != nil,
                    position: position)
            })
    }

    /// The declared columns: what an INSERT fills.
    package var schema: Schema {
        Schema(columns.prefix(declaredCount).map(\.field))
    }

    /// The tables of this file that `late` and `dead_letter` name.
    package var lateTable: String? { options.text("late") }
    package var deadLetterTable: String? { options.text("dead_letter") }
}

package struct DeclaredColumn: Sendable {
    package let name: Name
    package let type: LogicalType
    /// NOT NULL as written, in the key, or the event time.
    package let isNotNull: Bool
    /// Over the table's columns; itself without generated columns.
    package let generated: Expression?
    /// Of an output: what an INSERT without the column writes.
    package let defaultValue: Expression?
    package let metadata: MetadataColumn?

    package var field: Field { Field(name.text, type, isNullable: !isNotNull) }
}

package struct DeclaredCheck: Sendable {
    package let name: String
    /// Over the table's columns.
    package let condition: Expression
    package let place: SourcePlace
}

extension DeclaredTable {
    /// The columns a scan delivers when a query uses `used`: those plus every column under NOT
    /// NULL, CHECK or PRIMARY KEY and the event time (dialect.md §3.3); ascending positions in
    /// `columns`. Fix them before any rewrite. The scan's schema has them in this order.
    package func readColumns(using used: Set<Int>) -> [Int] {
        var read = used.union(primaryKey)
        for (position, column) in columns.enumerated()
        where column.isNotNull && column.metadata == nil {
            read.insert(position)
        }
        for check in checks { read.formUnion(check.condition.columnsRead) }
        if let eventTime { read.insert(eventTime) }
        // What a row that lacks values is completed from is the last row: it has to be all there.
        if mayBeIncomplete {
            for position in read {
                if let generated = columns[position].generated {
                    read.formUnion(generated.columnsRead)
                }
            }
        }
        return read.sorted()
    }

    /// Whether records may leave values out that the last row of their key has.
    var mayBeIncomplete: Bool {
        connector != .nexmark && options.text("format") == SourceFormat.Kind.debeziumJSON.rawValue
    }

    /// How rows of a scan of `readColumns` are completed; nil: they are always whole.
    func completion(readColumns: [Int]) -> RowCompletion? {
        guard mayBeIncomplete else { return nil }
        func position(_ column: Int) -> Int {
            readColumns.firstIndex(of: column).required("column \(column) is read")
        }
        return RowCompletion(
            column: readColumns.count,
            fields: readColumns.indices.filter { index in
                let column = columns[readColumns[index]]
                return column.generated == nil && column.metadata == nil
            },
            computed: readColumns.enumerated().compactMap { index, column in
                columns[column].generated.map { (index, $0.remapped(position)) }
            },
            constraints: constraints(position))
    }

    /// NOT NULL and CHECK of an output, over `schema`.
    package func outputConstraints() -> [SourceConstraint] {
        constraints { $0 }
    }

    /// The constraints with `position` giving a column's place in what they are evaluated over.
    func constraints(_ position: (Int) -> Int) -> [SourceConstraint] {
        var constraints: [SourceConstraint] = []
        for (index, column) in columns.enumerated()
        where column.isNotNull && column.metadata == nil {
            constraints.append(
                SourceConstraint(
                    name: column.name.text, reason: .notNull,
                    condition: .not(.isNull(.column(position(index), column.type))),
                    place: column.name.place))
        }
        for check in checks {
            constraints.append(
                SourceConstraint(
                    name: check.name, reason: .check,
                    condition: check.condition.remapped(position), place: check.place))
        }
        return constraints
    }
}
