// What a topology declares: relations and types in one namespace, and functions (dialect.md §3.9).

package import Contracts
package import Kernels
package import SQLSyntax
package import Types

/// The declarations of a file, in order, checked one by one.
///
/// `plan` asks it for relations; views stay syntax, since each reader's pushdown differs. Nothing
/// is visible before its declaration, as in PostgreSQL, except that options name tables of the
/// whole file.
package struct Catalog: Sendable {
    package let options: PlanningOptions
    /// Whole-file settings, `--set` applied.
    package internal(set) var settings = Settings()
    /// In order of declaration.
    package internal(set) var relations: [Relation] = []
    package internal(set) var types: [String: (type: RowType, place: SourcePlace)] = [:]
    package internal(set) var functions: [String: [InlineFunction]] = [:]

    /// Something that FROM can name.
    package enum Relation: Sendable {
        case table(DeclaredTable)
        case view(CreateView, StatementSettings)
        case materializedView(CreateMaterializedView, StatementSettings)

        package var name: Name {
            switch self {
            case .table(let table): table.name
            case .view(let view, _): view.name
            case .materializedView(let view, _): view.name
            }
        }
    }

    /// `CREATE FUNCTION` with its body bound over its parameters as columns; inlined at each call.
    package struct InlineFunction: Sendable {
        package let name: Name
        package let parameters: [(name: String?, type: LogicalType)]
        package let result: LogicalType
        package let body: Expression

        package var signature: String {
            "\(name.text)(\(parameters.map(\.type.description).joined(separator: ", ")))"
        }
    }

    /// The settings from a place of the file on, in order.
    var timeline: [(offset: Int, settings: StatementSettings)] = []

    /// An empty catalog: expressions without a topology.
    package init(options: PlanningOptions) { self.options = options }
}
