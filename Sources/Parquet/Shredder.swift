// Columns to leaves: nested values become flat ones with levels (Dremel, Melnik et al. 2010).
//
// The levels are made level by level instead of value by value: a step takes all entries of a batch
// through one node of the schema. An entry is (definition, repetition, row of the current column);
// an entry that ends early, at a NULL or an empty list, keeps its definition level and loses its
// row. A flat column goes one step, a column without NULLs none at all.

import Columns
import Contracts

/// What one leaf gets of a batch.
struct LeafEntries {
    /// One an entry; empty where the leaf's highest level is 0.
    var definition: [UInt8]
    var repetition: [UInt8]
    let entryCount: Int
    /// The leaf's column and which of its rows are written, in order; nil: all of them.
    let column: Column
    let rows: [Int32]?
}

/// Takes one column of a batch apart; calls `body` once a leaf, in file order.
func shred(
    _ column: Column, _ node: ColumnNode, name: String,
    _ body: (LeafEntries) throws(Failure) -> Void
) throws(Failure) {
    if case .leaf(let leaf) = node {
        try body(try flatEntries(column, leaf, name: name))
        return
    }
    let count = column.count
    let start = EntryState(
        definition: Array(repeating: 0, count: count),
        repetition: Array(repeating: 0, count: count),
        rows: (0..<Int32(count)).map { $0 })
    try descend(column, node, start, level: 0, name: name, body)
}

private struct EntryState {
    var definition: [UInt8]
    var repetition: [UInt8]
    /// The row in the column at hand, −1 for an entry that has ended.
    var rows: [Int32]
}

/// A column without nesting.
private func flatEntries(
    _ column: Column, _ leaf: Leaf, name: String
) throws(Failure) -> LeafEntries {
    let count = column.count
    guard let validity = column.validity, column.hasNulls else {
        if case .null(let count) = column.values, count > 0, leaf.definition == 0 {
            throw nullFound(name)
        }
        let level = UInt8(leaf.definition)
        let definition = leaf.definition > 0 ? Array(repeating: level, count: count) : []
        return LeafEntries(
            definition: definition, repetition: [], entryCount: count, column: column, rows: nil)
    }
    guard leaf.definition > 0 else { throw nullFound(name) }
    var definition = [UInt8](repeating: 0, count: count)
    var rows: [Int32] = []
    rows.reserveCapacity(count)
    for row in 0..<count where validity[row] {
        definition[row] = 1
        rows.append(Int32(truncatingIfNeeded: row))
    }
    return LeafEntries(
        definition: definition, repetition: [], entryCount: count, column: column, rows: rows)
}

private func nullFound(_ name: String) -> Failure {
    Failure(.failed, "parquet.null", "column \"\(name)\" is NOT NULL and got a NULL")
}

/// One node: its own NULLs first, then its kind. `level` is the definition level reached above it.
private func descend(
    _ column: Column, _ node: ColumnNode, _ outer: EntryState, level: Int, name: String,
    _ body: (LeafEntries) throws(Failure) -> Void
) throws(Failure) {
    var state = outer
    switch node {
    case .leaf(let leaf):
        try settle(&state, column, from: level, to: leaf.definition, name)
        let rows = state.rows.filter { $0 >= 0 }
        try body(
            LeafEntries(
                definition: leaf.definition > 0 ? state.definition : [],
                repetition: leaf.repetition > 0 ? state.repetition : [],
                entryCount: state.rows.count, column: column, rows: rows))
    case .group(let fields, let definition):
        try settle(&state, column, from: level, to: definition, name)
        guard case .row(let row) = column.values, row.fields.count == fields.count else {
            throw unsupported("a column of another shape than \"\(name)\"")
        }
        for (index, field) in fields.enumerated() {
            try descend(
                row.fields[index], field.node, state, level: definition,
                name: "\(name).\(field.name)", body)
        }
    case .list(let element, let definition, let elementDefinition, let repetition):
        try settle(&state, column, from: level, to: definition, name)
        guard case .list(let list) = column.values else {
            throw unsupported("a column of another shape than \"\(name)\"")
        }
        let expanded = expand(
            state, list.ranges, definition: UInt8(elementDefinition),
            repetition: UInt8(repetition))
        try descend(
            list.element, element, expanded, level: elementDefinition, name: "\(name).element",
            body)
    }
}

/// Raises the level of the entries that are not NULL; ends those that are.
private func settle(
    _ state: inout EntryState, _ column: Column, from level: Int, to definition: Int, _ name: String
) throws(Failure) {
    let isOptional = definition > level
    let validity = column.validity
    let isAllNull = if case .null = column.values { true } else { false }
    for entry in 0..<state.rows.count {
        let row = Int(state.rows[entry])
        guard row >= 0 else { continue }
        if isAllNull || !(validity?[row] ?? true) {
            guard isOptional else { throw nullFound(name) }
            state.rows[entry] = -1
        } else if isOptional {
            state.definition[entry] = UInt8(truncatingIfNeeded: definition)
        }
    }
}

/// Each entry with a list becomes one entry an element.
private func expand(
    _ outer: EntryState, _ ranges: [ValueRange], definition: UInt8, repetition: UInt8
) -> EntryState {
    var inner = EntryState(definition: [], repetition: [], rows: [])
    inner.definition.reserveCapacity(outer.rows.count)
    inner.repetition.reserveCapacity(outer.rows.count)
    inner.rows.reserveCapacity(outer.rows.count)
    for entry in 0..<outer.rows.count {
        let row = Int(outer.rows[entry])
        let range = row >= 0 ? ranges[row] : ValueRange(start: 0, length: 0)
        if range.length == 0 {
            inner.definition.append(outer.definition[entry])
            inner.repetition.append(outer.repetition[entry])
            inner.rows.append(-1)
            continue
        }
        for index in range.lowerBound..<range.upperBound {
            inner.definition.append(definition)
            inner.repetition.append(
                index == range.lowerBound ? outer.repetition[entry] : repetition)
            inner.rows.append(Int32(truncatingIfNeeded: index))
        }
    }
    return inner
}
