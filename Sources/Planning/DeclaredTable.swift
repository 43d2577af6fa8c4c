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
    package let options: OptionValues
    package let settings: StatementSettings

    /// All of them as a scan with nothing left out; metadata columns are marked, the event time and
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
        Schema(
            columns.prefix(declaredCount).map {
                Field($0.name.text, $0.type, isNullable: !$0.isNotNull)
            })
    }
}

package struct DeclaredColumn: Sendable {
    package let name: Name
    package let type: LogicalType
    /// NOT NULL as written, in the key, or the event time.
    package let isNotNull: Bool
    package let hasNotNullConstraint: Bool
    /// Over the table's columns; itself without generated columns.
    package let generated: Expression?
    package let metadata: MetadataColumn?
}

package struct DeclaredCheck: Sendable {
    package let name: String
    /// Over the table's columns.
    package let condition: Expression
    package let place: SourcePlace
}

extension DeclaredTable {
    /// The columns a scan delivers when a query uses `used`: those plus every column under NOT NULL,
    /// CHECK or PRIMARY KEY and the event time (dialect.md §3.3); ascending positions in `columns`.
    /// Fix them before any rewrite. The scan's schema has them in this order.
    package func readColumns(using used: Set<Int>) -> [Int] {
        bug("not there")
    }

    /// The source that delivers `readColumns` (of `readColumns(using:)`), in that order.
    /// `outputIndex` gives the position of an output table by name, for `late` and `dead_letter`.
    /// Throws for what a source needs and lacks: format, topic, a key under debezium_json …
    package func makeSourcePlan(
        readColumns: [Int], outputIndex: (String) -> Int?
    ) throws(Failure) -> SourcePlan {
        bug("not there")
    }

    /// The event time's position in `columns`, if there is one.
    package var eventTime: Int? {
        bug("not there")
    }
}
