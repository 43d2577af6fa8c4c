// Binds an expression as written to a typed one: names resolved, overloads chosen, casts explicit.

package import Contracts
package import Kernels
package import SQLSyntax
package import Types

/// Binds expressions over one scope. Types follow PostgreSQL, numerics dialect.md §3.1.
///
/// Binding the parts of an aggregate query (select list, HAVING, ORDER BY): give `AggregateHooks`.
/// The binder then goes top down: a part without an aggregate call is bound over the input scope, and
/// the bound expression offered to `groupKey`; what it gives back (a column of the aggregate's output)
/// stands for the whole part. An aggregate call goes to `aggregate`. A column reached neither way is
/// refused by `ungrouped`. Constants need no key. Everything else is bound as usual over what the
/// hooks gave, so the result is an expression over the aggregate's output.
package struct ExpressionBinder {
    package let catalog: Catalog
    package let scope: Scope
    package let context: BindingContext
    package let hooks: AggregateHooks?

    package init(
        catalog: Catalog, scope: Scope, context: BindingContext, hooks: AggregateHooks? = nil
    ) {
        self.catalog = catalog
        self.scope = scope
        self.context = context
        self.hooks = hooks
    }

    /// How an aggregate query's own expressions are bound.
    package struct AggregateHooks {
        /// The aggregate's output column for a bound expression that is a GROUP BY key
        /// (`Expression` is Hashable, places don't count); nil if it is none.
        package let groupKey: (Expression) -> Expression?
        /// The aggregate's output column for a call of an aggregate function. Arguments, FILTER and
        /// ORDER BY are bound by the callee over the input scope with a binder without hooks (so
        /// a nested aggregate is refused). Its type is the expression's.
        package let aggregate: (FunctionCall, SourcePlace) throws(Failure) -> Expression
        /// The Failure for a column that is neither grouped nor aggregated.
        package let ungrouped: (ScopeColumn, SourcePlace) -> Failure

        package init(
            groupKey: @escaping (Expression) -> Expression?,
            aggregate: @escaping (FunctionCall, SourcePlace) throws(Failure) -> Expression,
            ungrouped: @escaping (ScopeColumn, SourcePlace) -> Failure = AggregateHooks.mustBeGrouped
        ) {
            self.groupKey = groupKey
            self.aggregate = aggregate
            self.ungrouped = ungrouped
        }

        /// PostgreSQL's sentence.
        package static func mustBeGrouped(_ column: ScopeColumn, _ place: SourcePlace) -> Failure {
            let shown = column.qualifier.map { "\($0).\(column.name)" } ?? column.name
            return Failure(
                .invalid, "sql.not_grouped",
                "column \"\(shown)\" must appear in GROUP BY or be used in an aggregate function",
                place: place)
        }
    }

    /// The typed expression. `expected` gives a type to a bare string constant or NULL and nothing else;
    /// the result may still have another type (use `assignmentCast` or `booleanCondition`).
    /// A result of type `unknown` is text when the caller does not expect a type: see `bindValue`.
    /// Throws a Failure of kind `invalid` with the place. Constant parts are evaluated (§3.5).
    package func bind(
        _ syntax: ExpressionSyntax, expected: LogicalType? = nil
    ) throws(Failure) -> Expression {
        bug("not there")
    }

    /// A select-list value: a string constant is text, a bare NULL keeps `unknown` when
    /// `keepsUnknown` (UNION's branches, INSERT), else it is text, as in PostgreSQL.
    package func bindValue(
        _ syntax: ExpressionSyntax, keepsUnknown: Bool = false
    ) throws(Failure) -> Expression {
        bug("not there")
    }

    /// A boolean, for WHERE, HAVING, FILTER, CHECK: `sql.not_boolean` otherwise.
    package func bindCondition(_ syntax: ExpressionSyntax) throws(Failure) -> Expression {
        bug("not there")
    }

    /// The items of a select list with `*`, `t.*` and `(row).*` expanded; each with its output name:
    /// the alias, else the column's, field's, function's or type's name, else `?column?`. In an
    /// aggregate query each expanded column goes through the hooks.
    package func bindSelectList(_ items: [SelectItem]) throws(Failure) -> [BoundItem] {
        bug("not there")
    }

    package struct BoundItem {
        package let name: String
        package let expression: Expression
        package let place: SourcePlace
    }

    /// The aggregate that a call names (`stddev` and other aliases included), or nil. `first` and
    /// `last` too; `count(*)` by `isStar`. Calls with OVER count as well: the caller refuses them.
    package static func aggregate(named call: FunctionCall) -> AggregateFunction? {
        bug("not there")
    }

    /// Whether an expression calls an aggregate anywhere outside subqueries.
    package static func containsAggregate(_ syntax: ExpressionSyntax) -> Bool {
        bug("not there")
    }
}
