// Fills the catalog from statements.

package import Contracts
package import SQLSyntax
package import Types

extension Catalog {
    /// All declarations and settings of a file; INSERT and SELECT are skipped (they are the planner's;
    /// `settings(before:)` tells what held there). Throws at the first that is wrong.
    package init(_ statements: [Statement], options: PlanningOptions) throws(Failure) {
        bug("not there")
    }

    /// The settings that hold at a place of the file.
    package func statementSettings(at offset: Int) -> StatementSettings {
        bug("not there")
    }

    /// The relation that FROM or INSERT names. Throws `sql.relation_unknown` with the nearest name, or
    /// `sql.not_a_relation` for a type.
    package func relation(_ name: Name) throws(Failure) -> Relation {
        bug("not there")
    }

    /// A type as written. Throws `sql.type_unknown` with the nearest name or a hint for what other
    /// systems call it (`bigint unsigned`, `varchar(n)`).
    package func type(_ name: TypeName) throws(Failure) -> LogicalType {
        bug("not there")
    }
}
