// Where the late rows of a windowed aggregate go (dialect.md §4.6).
//
// A late row is told with the source's columns, which the query need not read: they ride along from
// the scan, behind the columns that the window's input has anyway, up to the operator that judges.
// Rows of closed windows are never late, so nothing rides through an aggregate. An operator that
// several outputs share refuses a row once; it is told under the first of them in the file. A row
// that missed only some of its windows was refused by those: it is told too, as part_late.
//
// What rides along is no part of what an operator computes: its id is that of the same operator
// without it, so that its state outlives a change of the late table.

import Contracts
import Kernels
import SQLSyntax
import Types

/// A table that sources name as `late`, and its place among the outputs.
struct LateTable {
    let output: Int
    let table: DeclaredTable

    /// What it declares beside `_late_in`, `_late_us`, `_late_kind`.
    var carried: [Field] {
        table.schema.fields.filter { LateTable.special[$0.name] == nil }
    }

    static let special: [String: (column: LateRoute.Column, type: LogicalType)] = [
        "_late_in": (.lateIn, .text), "_late_us": (.lateMicroseconds, .bigint),
        "_late_kind": (.lateKind, .text),
    ]

    /// Throws where a column cannot take what it is named for.
    func check(_ source: DeclaredTable) throws(Failure) {
        for column in table.columns.prefix(table.declaredCount) {
            let given = source.columns.first { $0.name.text == column.name.text }
            let type = LateTable.special[column.name.text]?.type ?? given?.type
            guard let type, type != column.type else { continue }
            throw Failure(
                .invalid, "sql.late_column",
                "column \"\(column.name.text)\" of the late table \"\(table.name.text)\" is "
                    + "\(column.type); it takes \(type) values of \"\(source.name.text)\"",
                hint: "declare it \(type)", place: column.name.place)
        }
    }
}

extension LogicalNode {
    /// The tables whose rows can be late in a window over this node.
    var judgedScans: [DeclaredTable] {
        switch kind {
        case .scan(let table): [table]
        // Rows behind a window have been judged.
        case .values, .aggregate, .window: []
        case .project(let input, _), .filter(let input, _): input.judgedScans
        case .unionAll(let inputs): inputs.flatMap(\.judgedScans)
        }
    }

    /// The node with these columns of its scans behind its own; NULL where a scan has no such
    /// column.
    func carrying(_ carried: [Field]) -> LogicalNode {
        switch kind {
        case .scan: bug("a scan without its projection")
        case .values, .aggregate, .window:
            return appending(carried.map { .constant(.null, $0.type) }, named: carried)
        case .project(let input, let expressions):
            let names = fields.map(\.name) + carried.map(\.name)
            if case .scan(let table) = input.kind {
                let added = carried.map { field in
                    table.columns.firstIndex { $0.name.text == field.name }.map(input.column)
                        ?? Expression.constant(.null, field.type)
                }
                return .project(input, expressions + added, names: names, place: place)
            }
            let under = input.carrying(carried)
            let added = carried.indices.map { under.column(input.count + $0) }
            return .project(under, expressions + added, names: names, place: place)
        case .filter(let input, let conditions):
            return .filter(input.carrying(carried), conditions, place: place)
        case .unionAll(let inputs):
            return .unionAll(
                inputs.map { $0.carrying(carried) }, change: change, place: place)
        }
    }

    private func appending(_ expressions: [Expression], named carried: [Field]) -> LogicalNode {
        .project(
            self, allColumns + expressions, names: (fields + carried).map(\.name), place: place)
    }
}

extension Lowering {
    /// The late table of what `input` reads; nil: its late rows are only counted. Two tables that
    /// meet in a union must name the same one, for a row behind it doesn't know where it came from.
    func lateTable(of input: LogicalNode) -> LateTable? {
        if lateTables.isEmpty { return nil }
        let scans = input.judgedScans
        let names = Set(scans.map(\.lateTable))
        guard names.count == 1, let name = names.first, let name, let found = lateTables[name]
        else {
            if names.count > 1 {
                note(
                    refuse(
                        "a window over a union of sources with different late tables",
                        "give every source the same late table",
                        at: scans.first { $0.lateTable != nil }?.name.place ?? input.scanPlace))
            }
            return nil
        }
        for scan in scans {
            do throws(Failure) { try found.check(scan) } catch { note(error) }
        }
        return found
    }

    /// The route to `late`, whose carried columns stand where `position` says in the operator's
    /// input.
    func lateRoute(_ late: LateTable?, _ position: (Int) -> Int) -> LateRoute? {
        guard let late else { return nil }
        var positions: [String: Int] = [:]
        for (offset, field) in late.carried.enumerated() {
            positions[field.name] = position(offset)
        }
        return LateRoute(
            output: late.output,
            columns: late.table.schema.fields.map { field in
                LateTable.special[field.name]?.column
                    ?? positions[field.name].map(LateRoute.Column.input) ?? .null
            })
    }
}

extension LogicalNode {
    fileprivate var scanPlace: SourcePlace { place ?? SourcePlace(file: "", offset: 0) }

    /// The columns of each scanned table that ride along with rows which a window judges.
    func visitLateColumns(_ visit: (DeclaredTable) -> Void) {
        if case .window(let input, _) = kind {
            for table in input.judgedScans where table.lateTable != nil { visit(table) }
        }
        inputs.forEach { $0.visitLateColumns(visit) }
    }
}
