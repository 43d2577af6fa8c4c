// Queries as logical trees: FROM, set operations, views, common tables.

import Contracts
import Kernels
import SQLSyntax
import Types

/// A logical tree and the names by which an expression finds its columns.
struct Relation {
    let node: LogicalNode
    let scope: Scope

    init(_ node: LogicalNode, scope: Scope) {
        self.node = node
        self.scope = scope
    }

    init(_ node: LogicalNode, qualifier: String?) {
        self.node = node
        scope = Scope(node.schema, qualifier: qualifier)
    }
}

/// Builds logical trees. One for a planning run; a view's tree is built once and shared.
final class QueryBuilder {
    let catalog: Catalog
    let options: PlanningOptions
    /// Tables that an INSERT of this file writes.
    let written: Set<String>
    private var scans: [String: LogicalNode] = [:]
    private var views: [String: LogicalNode] = [:]
    /// Views being built, outermost first: a view can't read itself.
    private var open: [String] = []
    private var windowCount = 0
    var notes: [PlanNote] = []

    init(catalog: Catalog, options: PlanningOptions, written: Set<String>) {
        self.catalog = catalog
        self.options = options
        self.written = written
    }

    /// The common tables that a query can name.
    struct Environment {
        var commonTables: [String: LogicalNode] = [:]
        var settings: StatementSettings
    }

    func nextWindow() -> String {
        windowCount += 1
        return "w\(windowCount)"
    }

    func context(_ clause: String, _ environment: Environment) -> BindingContext {
        BindingContext(options: options, settings: environment.settings, clause: clause)
    }

    /// A query that ends in an output, a view or a subquery: without ORDER BY and LIMIT.
    func query(_ query: Query, _ environment: Environment) throws(Failure) -> LogicalNode {
        if let key = query.orderBy.first {
            throw refuse(
                "ORDER BY", "belongs to millrace query: a stream has no end to sort",
                at: key.expression.place)
        }
        if let limit = query.limit ?? query.offset {
            let construct = query.limit == nil ? "OFFSET" : "LIMIT"
            throw refuse(
                construct, "belongs to millrace query: a stream has no end to count to",
                at: limit.place)
        }
        return try body(query.body, adding(query.commonTables, environment), query.place)
    }

    func adding(
        _ commonTables: [CommonTable], _ environment: Environment
    ) throws(Failure) -> Environment {
        var environment = environment
        for table in commonTables {
            if table.isRecursive {
                throw refuse("a recursive WITH", "write its steps out", at: table.name.place)
            }
            let node = try query(table.query, environment)
            environment.commonTables[table.name.text] = try renamed(
                node, table.columnNames, of: table.name)
        }
        return environment
    }

    func body(
        _ body: QueryBody, _ environment: Environment, _ place: SourcePlace
    ) throws(Failure) -> LogicalNode {
        switch body {
        case .select(let select):
            return try self.select(select, environment, place)
        case .values(let rows):
            return try values(rows, environment, place)
        case .setOperation(let operation, let isAll, let left, let right, let place):
            guard operation == .union else {
                throw refuse(
                    operation.rawValue.uppercased(), "a filter or a GROUP BY often says the same",
                    at: place)
            }
            let branches = [try query(left, environment), try query(right, environment)]
            let union = try unionAll(
                flattened(branches), environment.settings, place: place)
            return isAll ? union : distinct(union, place: place)
        }
    }

    /// UNION ALL of UNION ALLs is one.
    private func flattened(_ branches: [LogicalNode]) -> [LogicalNode] {
        branches.flatMap { branch in
            if case .unionAll(let inner) = branch.kind { return inner }
            return [branch]
        }
    }

    func distinct(_ input: LogicalNode, place: SourcePlace) -> LogicalNode {
        .aggregate(
            input,
            Grouping(
                keys: input.allColumns, keyNames: input.fields.map(\.name),
                writtenKeys: input.count, calls: [], alsoRead: [], emitsChanges: false, place: place
            ))
    }

    /// Branches brought to common types, under the first one's names.
    func unionAll(
        _ branches: [LogicalNode], _ settings: StatementSettings, place: SourcePlace
    ) throws(Failure) -> LogicalNode {
        let width = branches[0].count
        for branch in branches where branch.count != width {
            throw Failure(
                .invalid, "sql.union_width",
                "the branches of UNION have \(width) and \(branch.count) columns",
                place: branch.place ?? place)
        }
        var types: [LogicalType] = []
        for column in 0..<width {
            let all = branches.map { $0.fields[column].type }
            guard let common = TypeRules.commonType(all) else {
                let name = branches[0].fields[column].name
                let shown = all.map(\.description).joined(separator: " and ")
                throw Failure(
                    .invalid, "sql.type_mismatch",
                    "UNION's column \"\(name)\" is \(shown)", hint: "cast one of them",
                    place: place)
            }
            types.append(common == .unknown ? .text : common)
        }
        var cast: [LogicalNode] = []
        for branch in branches {
            var expressions: [Expression] = []
            for (column, type) in zip(branch.allColumns, types) {
                expressions.append(
                    column.type == type
                        ? column
                        : try TypeRules.implicitCast(column, to: type, place: place)
                            .inZone(of: settings))
            }
            cast.append(
                branch.schema.types == types
                    ? branch
                    : .project(
                        branch, expressions, names: branch.fields.map(\.name), place: branch.place))
        }
        return try .union(of: cast, place: place)
    }

    private func values(
        _ rows: [[ExpressionSyntax]], _ environment: Environment, _ place: SourcePlace
    ) throws(Failure) -> LogicalNode {
        let binder = ExpressionBinder(
            catalog: catalog, scope: Scope(), context: context("VALUES", environment))
        var bound: [[Expression]] = []
        for row in rows {
            var cells: [Expression] = []
            for cell in row { cells.append(try binder.bindValue(cell, keepsUnknown: true)) }
            guard cells.count == rows[0].count else {
                throw Failure(
                    .invalid, "sql.values_width", "VALUES rows differ in length",
                    place: row.first?.place ?? place)
            }
            bound.append(cells)
        }
        let fields = bound[0].indices.map { column -> (type: LogicalType?, name: String) in
            (TypeRules.commonType(bound.map { $0[column].type }), "column\(column + 1)")
        }
        let single = LogicalNode.values([[]], fields: [], place: place)
        var branches: [LogicalNode] = []
        for (row, cells) in zip(rows, bound) {
            var cast: [Expression] = []
            for ((cell, syntax), field) in zip(zip(cells, row), fields) {
                guard let common = field.type else {
                    throw Failure(
                        .invalid, "sql.type_mismatch",
                        "VALUES has types in \(field.name) that don't go together",
                        hint: "cast one of them", place: syntax.place)
                }
                let type = common == .unknown ? .text : common
                cast.append(
                    cell.type == type
                        ? cell
                        : try TypeRules.implicitCast(cell, to: type, place: syntax.place)
                            .inZone(of: environment.settings))
            }
            branches.append(
                .project(single, cast, names: fields.map(\.name), place: row.first?.place))
        }
        return branches.count == 1
            ? branches[0] : .unionAll(branches, change: .appendOnly, place: place)
    }
}

// MARK: FROM

extension QueryBuilder {
    func relation(
        _ item: FromItem, _ environment: Environment
    ) throws(Failure) -> Relation {
        switch item {
        case .table(let name, let alias):
            return try table(name, alias: alias, environment)
        case .subquery(let query, let alias, let isLateral, let place):
            if isLateral { throw refuse("LATERAL", "joins come later", at: place) }
            let node = try self.query(query, environment)
            return try aliased(Relation(node, qualifier: nil), alias, place: place)
        case .function(let call, let alias):
            return try windowFunction(call, alias: alias, environment)
        case .join(let join):
            throw refuse(
                join.kind.uppercased(), "one relation stands in FROM for now",
                at: join.place)
        }
    }

    func table(
        _ name: Name, alias: Alias?, _ environment: Environment
    ) throws(Failure) -> Relation {
        if let node = environment.commonTables[name.text] {
            return try aliased(
                Relation(node, qualifier: name.text), alias, place: name.place)
        }
        switch try catalog.relation(name) {
        case .table(let table):
            let scan = try scan(table, readAt: name)
            let relation = Relation(scan, scope: table.scope(qualifier: name.text))
            return try aliased(relation, alias, place: name.place)
        case .view(let view, let settings):
            let node = try self.view(view.name, view.query, view.columnNames, settings)
            return try aliased(Relation(node, qualifier: name.text), alias, place: name.place)
        case .materializedView(let view, let settings):
            let node = try self.view(view.name, view.query, view.columnNames, settings)
            return try aliased(Relation(node, qualifier: name.text), alias, place: name.place)
        }
    }

    private func scan(_ table: DeclaredTable, readAt name: Name) throws(Failure) -> LogicalNode {
        if written.contains(table.name.text) {
            throw Failure(
                .invalid, "sql.read_and_written",
                "table \"\(name.text)\" is both written and read in this file",
                hint: "make the query a view, insert from the view, and read the view here: "
                    + "CREATE VIEW \(name.text)_rows AS SELECT …",
                place: name.place)
        }
        if let scan = scans[table.name.text] { return scan }
        let scan = LogicalNode.scan(table)
        scans[table.name.text] = scan
        return scan
    }

    /// The tree of a view, materialized or not: built where it is first read.
    func view(
        _ name: Name, _ query: Query, _ columnNames: [Name], _ settings: StatementSettings
    ) throws(Failure) -> LogicalNode {
        if let node = views[name.text] { return node }
        if open.contains(name.text) {
            throw Failure(
                .invalid, "sql.view_cycle", "view \"\(name.text)\" reads itself",
                place: name.place)
        }
        open.append(name.text)
        defer { open.removeLast() }
        let node = try self.query(query, Environment(settings: settings))
        let named = try renamed(node, columnNames, of: name)
        try requireDistinctNames(named, of: name)
        views[name.text] = named
        return named
    }

    private func requireDistinctNames(_ node: LogicalNode, of name: Name) throws(Failure) {
        var seen: Set<String> = []
        for field in node.fields where !seen.insert(field.name).inserted {
            throw Failure(
                .invalid, "sql.column_twice",
                "\"\(name.text)\" has two columns called \"\(field.name)\"",
                hint: "rename one with AS", place: name.place)
        }
    }

    func aliased(
        _ relation: Relation, _ alias: Alias?, place: SourcePlace
    ) throws(Failure) -> Relation {
        guard let alias else { return relation }
        let names = alias.columnNames
        guard names.count <= relation.scope.columns.count else {
            throw Failure(
                .invalid, "sql.alias_width",
                "\"\(alias.name.text)\" has \(relation.scope.columns.count) columns, "
                    + "\(names.count) names are given", place: alias.name.place)
        }
        let columns = relation.scope.columns.enumerated().map { index, column in
            ScopeColumn(
                qualifier: alias.name.text,
                name: index < names.count ? names[index].text : column.name, type: column.type,
                isNullable: column.isNullable, isMetadata: column.isMetadata,
                position: column.position)
        }
        return Relation(relation.node, scope: Scope(columns))
    }

    func renamed(
        _ node: LogicalNode, _ names: [Name], of name: Name
    ) throws(Failure) -> LogicalNode {
        guard names.count <= node.count else {
            throw Failure(
                .invalid, "sql.alias_width",
                "\"\(name.text)\" has \(node.count) columns, \(names.count) names are given",
                place: name.place)
        }
        let rest = node.fields.map(\.name).dropFirst(names.count)
        return node.renamed(names.map(\.text) + rest)
    }
}

/// What the dialect names but doesn't have (yet): one shape of message.
func refuse(_ construct: String, _ hint: String, at place: SourcePlace?) -> Failure {
    Failure(
        .invalid, "sql.unsupported", "\(construct) is not supported here", hint: hint,
        place: place)
}

extension LogicalNode {
    /// The constant that a column is in every row, if it is one.
    func constant(of column: Int) -> Expression? {
        switch kind {
        case .project(let input, let expressions):
            if expressions[column].isColumnFree { return expressions[column] }
            return expressions[column].copiedColumn.flatMap(input.constant)
        case .filter(let input, _): return input.constant(of: column)
        case .window(let input, _):
            return column < input.count ? input.constant(of: column) : nil
        case .aggregate(let input, let grouping):
            guard column < grouping.keys.count else { return nil }
            let key = grouping.keys[column]
            return key.isColumnFree ? key : key.copiedColumn.flatMap(input.constant)
        case .scan, .values, .unionAll: return nil
        }
    }
}
