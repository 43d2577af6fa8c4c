// The one table of options: validation, "did you mean", documentation and the checked structs.

package import Contracts
package import SQLSyntax
package import Types

/// What USING can name.
package enum ConnectorKind: String, Sendable, CaseIterable {
    case kafka, files, delta, nexmark, blackhole, print
}

/// The checked options of one table or materialized view.
package struct OptionValues: Sendable {
    package let connector: ConnectorKind
    /// By name; only what was given.
    package let given: [String: OptionValue]
    package let place: SourcePlace
}

package struct OptionValue: Sendable {
    package let value: Value
    package let place: SourcePlace

    package enum Value: Sendable, Hashable {
        case text(String)
        case boolean(Bool)
        case integer(Int64)
        /// µs.
        case interval(Int64)
        /// Bytes.
        case size(Int64)
        /// µs since 1970.
        case time(Int64)
        case names([String])
        case ranges([ClosedRange<Int32>])
    }
}

extension OptionValues {
    /// The options of a materialized view or table, checked against the connector's table.
    /// Throws `option.unknown` with the nearest name, `option.invalid` with the value's place.
    package init(
        connector: Name, options: [OptionSyntax], isSource: Bool, isSink: Bool,
        environment: [String: String]
    ) throws(Failure) {
        bug("not there")
    }
}

/// What an output's options say beside its connector (dialect.md §4).
package struct OutputOptions: Sendable {
    package let emit: EmitMode
    /// µs; nil: the checkpoint interval.
    package let commitInterval: Int64?
    package let onError: OnError
    package let deadLetterTopic: String?
    /// A table of this file.
    package let deadLetterTable: String?
    /// `primary_key` of a materialized view, or the table's: names.
    package let primaryKey: [String]?
}

extension OptionValues {
    /// The output options; the settings are those in force at the statement.
    package func outputOptions(_ settings: StatementSettings) -> OutputOptions {
        bug("not there")
    }

    /// The sink that these options describe, for rows of `schema` whose key (upsert or changelog) is
    /// `key`; nil: append-only. Throws for what a sink needs and lacks and for columns that don't exist.
    package func makeSink(schema: Schema, key: [Int]?) throws(Failure) -> SinkConnector {
        bug("not there")
    }
}

/// The reference of all options, as Markdown tables (docs/ and `millrace docs options`).
public func optionsMarkdown() -> String {
    bug("not there")
}
