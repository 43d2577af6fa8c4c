// The columns that an expression can see, and how a name finds one of them.

package import Contracts
package import Kernels
package import SQLSyntax
package import Types

/// One visible column.
package struct ScopeColumn: Sendable, Hashable {
    /// The alias or name of its relation; nil: only the bare name finds it.
    package let qualifier: String?
    package let name: String
    package let type: LogicalType
    package let isNullable: Bool
    /// Left out of `*` (dialect.md §3.4).
    package let isMetadata: Bool
    /// Its position in the input of the expression.
    package let position: Int

    package init(
        qualifier: String?, name: String, type: LogicalType, isNullable: Bool = true,
        isMetadata: Bool = false, position: Int
    ) {
        self.qualifier = qualifier
        self.name = name
        self.type = type
        self.isNullable = isNullable
        self.isMetadata = isMetadata
        self.position = position
    }

    package var expression: Expression { .column(position, type) }
    package var field: Field { Field(name, type, isNullable: isNullable) }
}

/// An ordered list of visible columns.
package struct Scope: Sendable {
    package let columns: [ScopeColumn]

    package init(_ columns: [ScopeColumn] = []) { self.columns = columns }

    /// A schema's columns under one qualifier, at their own positions.
    package init(_ schema: Schema, qualifier: String?) {
        columns = schema.fields.enumerated().map { position, field in
            ScopeColumn(
                qualifier: qualifier, name: field.name, type: field.type,
                isNullable: field.isNullable, position: position)
        }
    }

    /// Both sides of a join: the right side's positions follow `leftWidth` columns.
    package func joined(with right: Scope, leftWidth: Int) -> Scope {
        Scope(
            columns
                + right.columns.map { column in
                    ScopeColumn(
                        qualifier: column.qualifier, name: column.name, type: column.type,
                        isNullable: column.isNullable, isMetadata: column.isMetadata,
                        position: column.position + leftWidth)
                })
    }

    /// The column that `a` or `t.a` names. Throws `sql.column_unknown` (with the nearest name),
    /// `sql.column_ambiguous` or `sql.relation_unknown` at the name's place.
    package func resolve(_ path: [Name]) throws(Failure) -> ScopeColumn {
        guard let name = path.last, let first = path.first else { bug("an empty column name") }
        guard path.count <= 2 else {
            throw Failure(
                .invalid, "sql.name_too_long", "\(dotted(path)) has more than two parts",
                hint: "there are no schemas; a row's field is (column).field", place: first.place)
        }
        guard path.count == 2 else { return try bare(name) }
        let relation = columns.filter { $0.qualifier == first.text }
        let found = relation.filter { $0.name == name.text }
        guard found.count <= 1 else { throw ambiguous(path) }
        if let column = found.first { return column }
        guard relation.isEmpty else {
            throw unknown(path, near: relation.map(\.name))
        }
        throw unknownRelation(first, field: name)
    }

    /// The columns of `*` or `t.*`, without metadata columns.
    package func expandStar(
        qualifier: Name?, place: SourcePlace
    ) throws(Failure) -> [ScopeColumn] {
        let visible = columns.filter { !$0.isMetadata }
        guard let qualifier else {
            guard !columns.isEmpty else {
                throw Failure(.invalid, "sql.star_without_from", "* needs a FROM", place: place)
            }
            return visible
        }
        guard columns.contains(where: { $0.qualifier == qualifier.text }) else {
            throw unknownRelation(qualifier, field: nil)
        }
        return visible.filter { $0.qualifier == qualifier.text }
    }

    /// Whether NULL can be the value of `expression` over this scope's columns.
    package func isNullable(_ expression: Expression) -> Bool {
        expression.isNullable { position in
            columns.first { $0.position == position }?.isNullable ?? true
        }
    }

    private func bare(_ name: Name) throws(Failure) -> ScopeColumn {
        let found = columns.filter { $0.name == name.text }
        if let column = found.first, found.count == 1 { return column }
        throw found.isEmpty ? unknown([name], near: columns.map(\.name)) : ambiguous([name])
    }

    private func ambiguous(_ path: [Name]) -> Failure {
        let qualifiers = columns.filter { $0.name == path.last?.text }.compactMap(\.qualifier)
        let named = qualifiers.map { "\($0).\(path.last?.text ?? "")" }
        return Failure(
            .invalid, "sql.column_ambiguous", "column \"\(dotted(path))\" is ambiguous",
            hint: named.isEmpty ? nil : "write \(named.joined(separator: " or "))",
            place: path.first?.place)
    }

    /// A hint names so many columns at most.
    private static let namesShown = 8

    private func unknown(_ path: [Name], near known: [String]) -> Failure {
        let nearest = path.last.flatMap { nearestName(to: $0.text, among: known) }
        var hint = nearest.map { "did you mean \"\($0)\"?" }
        if known.isEmpty {
            hint = "there is no FROM"
        } else if hint == nil, path.count == 1 {
            let shown = columns.filter { !$0.isMetadata }.map(\.name)
            let names = shown.prefix(Self.namesShown).joined(separator: ", ")
            hint = "there is \(names)\(shown.count > Self.namesShown ? ", …" : ""); "
                + "a text stands in single quotes: '\(path[0].text)'"
        }
        return Failure(
            .invalid, "sql.column_unknown", "column \"\(dotted(path))\" does not exist",
            hint: hint,
            place: path.last?.place)
    }

    /// `r.a` where r is no relation: perhaps a column of a row type.
    private func unknownRelation(_ name: Name, field: Name?) -> Failure {
        let column = columns.first { $0.name == name.text }
        var hint = nearestName(to: name.text, among: columns.compactMap(\.qualifier))
            .map { "did you mean \"\($0)\"?" }
        if let field, let column, case .row = column.type {
            hint = "a field of a row is written (\(name.text)).\(field.text)"
        }
        return Failure(
            .invalid, "sql.relation_unknown", "no \"\(name.text)\" in FROM", hint: hint,
            place: name.place)
    }

    private func dotted(_ path: [Name]) -> String {
        path.map(\.text).joined(separator: ".")
    }
}

extension Expression {
    /// Whether the value can be NULL, given which input columns can.
    package func isNullable(_ column: (Int) -> Bool) -> Bool {
        switch self {
        case .column(let position, _): column(position)
        case .constant(let scalar, _): scalar.isNull
        case .isNull, .makeRow, .makeArray: false
        case .call(let call):
            // A kernel may answer NULL for values of its own (`element`, `->`), so only operators
            // are known not to.
            Expression.nullFree.contains(call.function.name)
                ? call.arguments.contains { $0.isNullable(column) } : true
        case .and(let parts), .or(let parts): parts.contains { $0.isNullable(column) }
        case .not(let part), .cast(let part, _, _): part.isNullable(column)
        case .coalesce(let parts, _): parts.allSatisfy { $0.isNullable(column) }
        case .cases(let cases):
            cases.otherwise.isNullable(column)
                || cases.branches.contains { $0.result.isNullable(column) }
        case .field: true
        }
    }

    /// Functions that give NULL only for a NULL.
    private static let nullFree: Set<String> = [
        "+", "-", "*", "/", "%", "=", "<>", "<", "<=", ">", ">=", "~~", "~~*", "is_distinct",
        "abs", "ceil", "ceiling", "floor", "round", "trunc", "sign", "lower", "upper", "length",
        "char_length", "character_length", "date_trunc", "extract", "timezone", "||", "btrim",
        "ltrim", "rtrim", "concat", "md5",
    ]
}
