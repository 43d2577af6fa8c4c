// Leaves back to columns: the inverse of Shredder.swift.
//
// The rows of a node are called slots: entries of any leaf below it that do not go on a list of
// deeper level (repetition ≤ the node's) and whose surrounding list has an element there
// (definition ≥ slotDefinition). A slot under a NULL struct exists too, so that all fields of a
// struct have the same number of rows.

import Columns
import Contracts
import Types

struct Assembler {
    /// By leaf index; only the leaves of wanted columns are there.
    let chunks: [Int: LeafChunk]

    /// The column of a top-level node, of exactly `rowCount` rows.
    func column(_ node: ColumnNode, _ type: LogicalType, rowCount: Int) throws(Failure) -> Column {
        let column = try assemble(node, type, repetition: 0, slotDefinition: 0)
        guard column.count == rowCount else {
            throw corrupt("a column has \(column.count) rows, its row group \(rowCount)")
        }
        return column
    }

    private func chunk(_ index: Int) throws(Failure) -> LeafChunk {
        guard let chunk = chunks[index] else { throw corrupt("a leaf has no chunk") }
        return chunk
    }

    private func assemble(
        _ node: ColumnNode, _ type: LogicalType, repetition: Int, slotDefinition: Int
    ) throws(Failure) -> Column {
        switch node {
        case .leaf(let leaf):
            let chunk = try chunk(leaf.index)
            let validity = validity(
                chunk, repetition: repetition, slotDefinition: slotDefinition,
                definition: leaf.definition)
            let valid = validity.isValid?.count { $0 } ?? validity.count
            guard valid == chunk.values.count else { throw corrupt("levels and values disagree") }
            return try chunk.values.column(leaf, validity.isValid)
        case .group(let fields, let definition):
            guard case .row(let row) = type else { bug("a group of type \(type)") }
            let first = try chunk(node.firstLeaf)
            let validity = validity(
                first, repetition: repetition, slotDefinition: slotDefinition,
                definition: definition)
            var columns: [Column] = []
            for (index, field) in fields.enumerated() {
                let column = try assemble(
                    field.node, row.fields[index].type, repetition: repetition,
                    slotDefinition: slotDefinition)
                guard column.count == validity.count else {
                    throw corrupt("fields of a struct have different rows")
                }
                columns.append(column)
            }
            return Column(
                type, .row(RowColumn(fields: columns, count: validity.count)),
                validity: validity.isValid)
        case .list(let element, let definition, let elementDefinition, let level):
            guard case .array(let elementType) = type else { bug("a list of type \(type)") }
            let first = try chunk(node.firstLeaf)
            let lists = try lists(
                first, outer: slotDefinition, definition: definition,
                elementDefinition: elementDefinition, repetition: level)
            let elements = try assemble(
                element, elementType, repetition: level, slotDefinition: elementDefinition)
            guard elements.count == lists.elementCount else {
                throw corrupt("a list's elements do not add up")
            }
            return Column(
                type, .list(ListColumn(ranges: lists.ranges, element: elements)),
                validity: lists.isValid.contains(false) ? lists.isValid : nil)
        }
    }

    /// Which slots of a node are there; nil for all.
    private func validity(
        _ chunk: LeafChunk, repetition: Int, slotDefinition: Int, definition: Int
    ) -> (isValid: [Bool]?, count: Int) {
        guard chunk.leaf.definition > 0 else { return (nil, chunk.entryCount) }
        var isValid: [Bool] = []
        isValid.reserveCapacity(chunk.entryCount)
        let hasLists = chunk.leaf.repetition > 0
        for entry in 0..<chunk.entryCount {
            let level = Int(chunk.definition[entry])
            if level < slotDefinition { continue }
            if hasLists, Int(chunk.repetition[entry]) > repetition { continue }
            isValid.append(level >= definition)
        }
        return (isValid.contains(false) ? isValid : nil, isValid.count)
    }

    private struct Lists {
        var ranges: [ValueRange] = []
        var isValid: [Bool] = []
        var elementCount = 0
    }

    private func lists(
        _ chunk: LeafChunk, outer: Int, definition: Int, elementDefinition: Int, repetition: Int
    ) throws(Failure) -> Lists {
        var lists = Lists()
        for entry in 0..<chunk.entryCount {
            let level = Int(chunk.definition[entry])
            let repeated = Int(chunk.repetition[entry])
            let hasElement = level >= elementDefinition
            if repeated < repetition {
                guard level >= outer else { continue }
                lists.ranges.append(
                    ValueRange(start: lists.elementCount, length: hasElement ? 1 : 0))
                lists.isValid.append(level >= definition)
            } else if repeated == repetition, hasElement {
                guard !lists.ranges.isEmpty else {
                    throw corrupt("a list goes on before it starts")
                }
                lists.ranges[lists.ranges.count - 1].length += 1
            }
            if repeated <= repetition, hasElement { lists.elementCount += 1 }
        }
        return lists
    }
}
