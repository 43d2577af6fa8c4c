// Binds an expression as written to a typed one: names resolved, overloads chosen, casts explicit.

package import Contracts
package import Kernels
package import SQLSyntax
package import Types

/// Binds expressions over one scope. Types follow PostgreSQL, numerics dialect.md §3.1.
///
/// Binding the parts of an aggregate query (select list, HAVING, ORDER BY): give `AggregateHooks`.
/// The binder then goes top down: a part without an aggregate call is bound over the input scope,
/// and the bound expression offered to `groupKey`; what it gives back (a column of the aggregate's
/// output) stands for the whole part. An aggregate call goes to `aggregate`. A column reached
/// neither way is refused by `ungrouped`. Constants need no key. Everything else is bound as usual
/// over what the hooks gave, so the result is an expression over the aggregate's output.
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
            ungrouped: @escaping (ScopeColumn, SourcePlace) -> Failure = AggregateHooks
                .mustBeGrouped
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
                hint: "GROUP BY \(shown), or take one of the group's: max(\(shown))",
                place: place)
        }
    }

    /// The typed expression. `expected` gives a type to a bare string constant or NULL and nothing
    /// else: the result may have another type (then use `TypeRules.assignmentCast`). Without it a
    /// string constant is text and a bare NULL is of type `unknown`.
    /// Throws a Failure of kind `invalid` with the place. Constant parts are evaluated (§3.5).
    package func bind(
        _ syntax: ExpressionSyntax, expected: LogicalType? = nil
    ) throws(Failure) -> Expression {
        let operand = try operand(syntax)
        var expression = operand.expression
        if operand.isUntyped, let expected {
            expression = try coerce(operand, to: expected)
        }
        return try folding(at: syntax.place)
            .fold(expression.inZone(of: context.settings), isConditional: false)
    }

    /// A select-list value: a string constant is text; a bare NULL is text too, as in PostgreSQL,
    /// unless `keepsUnknown` (UNION's branches).
    package func bindValue(
        _ syntax: ExpressionSyntax, keepsUnknown: Bool = false
    ) throws(Failure) -> Expression {
        try bind(syntax, expected: keepsUnknown ? nil : .text)
    }

    /// A boolean, for WHERE, HAVING, FILTER, CHECK: `sql.not_boolean` otherwise.
    package func bindCondition(_ syntax: ExpressionSyntax) throws(Failure) -> Expression {
        let condition = try boolean(syntax, of: context.clause)
        return try folding(at: syntax.place)
            .fold(condition.inZone(of: context.settings), isConditional: false)
    }

    /// The items of a select list with `*`, `t.*` and `(row).*` expanded; each with its output
    /// name: the alias, else the column's, field's, function's or type's name, else `?column?`. In
    /// an aggregate query each expanded column goes through the hooks. A bare NULL is text.
    package func bindSelectList(_ items: [SelectItem]) throws(Failure) -> [BoundItem] {
        var bound: [BoundItem] = []
        for item in items {
            let place = item.expression.place
            switch item.expression.kind {
            case .star(let qualifier):
                for column in try scope.expandStar(qualifier: qualifier, place: place) {
                    let expression = try reference(column, place)
                    bound.append(
                        BoundItem(name: column.name, expression: expression, place: place))
                }
            case .allFields(let base):
                bound += try allFields(base, place)
            default:
                bound.append(
                    BoundItem(
                        name: item.alias?.text ?? Self.outputName(item.expression),
                        expression: try bindValue(item.expression), place: place))
            }
        }
        return bound
    }

    package struct BoundItem {
        package let name: String
        package let expression: Expression
        package let place: SourcePlace
    }

    func folding(at place: SourcePlace) -> ConstantFolding {
        ConstantFolding(isRewriting: context.options.isOptimizerOn, place: place)
    }

    private func allFields(
        _ base: ExpressionSyntax, _ place: SourcePlace
    ) throws(Failure) -> [BoundItem] {
        let row = try bind(base)
        guard case .row(let type) = row.type else {
            throw Failure(
                .invalid, "sql.not_a_row", "(…).* needs a row, this is \(row.type)", place: place)
        }
        return type.fields.enumerated().map { index, field in
            BoundItem(
                name: field.name, expression: .field(row, index, field.type), place: place)
        }
    }

    /// The name of a column without an alias, as PostgreSQL gives it.
    package static func outputName(_ syntax: ExpressionSyntax) -> String {
        switch syntax.kind {
        case .column(let path): return path.last?.text ?? "?column?"
        case .field(_, let name): return name.text
        case .call(let call): return call.name.text
        case .cast(let inner, let type):
            let name = outputName(inner)
            return name == "?column?" ? type.name : name
        case .coalesce: return "coalesce"
        case .nullIf: return "nullif"
        case .greatest: return "greatest"
        case .least: return "least"
        case .row: return "row"
        case .array: return "array"
        case .caseWhen(_, _, let otherwise):
            let name = otherwise.map(outputName) ?? "?column?"
            return name == "?column?" ? "case" : name
        case .atTimeZone: return "timezone"
        case .currentTime(let name): return name
        case .element(let base, _, _, _), .collate(let base, _): return outputName(base)
        case .boolean: return "bool"
        default: return "?column?"
        }
    }
}
