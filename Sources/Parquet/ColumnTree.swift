// The schema as a tree, with the levels of Dremel's encoding (Nested Encoding in parquet-format's
// README): a definition level says how far down a path exists, a repetition level which list of the
// path goes on.

import Contracts
import Types

/// A node of the schema as this engine sees it: lists and maps are one node, whatever groups they
/// are written with.
indirect enum ColumnNode {
    case leaf(Leaf)
    /// Fields of a struct; `definition` is the level at which the struct itself is there.
    case group(fields: [NamedNode], definition: Int)
    /// `definition`: the list is there; `elementDefinition`: it has an element;
    /// `repetition`: the level at which the list goes on.
    case list(ColumnNode, definition: Int, elementDefinition: Int, repetition: Int)

    /// The position, among all leaves, of the first leaf under this node.
    var firstLeaf: Int {
        switch self {
        case .leaf(let leaf): leaf.index
        case .group(let fields, _): fields.first?.node.firstLeaf ?? 0
        case .list(let element, _, _, _): element.firstLeaf
        }
    }

    /// All leaves under this node, in file order.
    var leaves: [Leaf] {
        switch self {
        case .leaf(let leaf): [leaf]
        case .group(let fields, _): fields.flatMap(\.node.leaves)
        case .list(let element, _, _, _): element.leaves
        }
    }
}

struct NamedNode {
    let name: String
    let node: ColumnNode
}

/// A primitive column.
struct Leaf {
    /// Position among the leaves of the file.
    let index: Int
    let path: [String]
    /// The names as a table's schema has them: without the groups a list is written with.
    let columnPath: [String]
    let storage: StorageType
    let typeLength: Int
    let annotation: Annotation
    let type: LogicalType
    let definition: Int
    let repetition: Int
    /// The definition level at which a slot exists: that of the nearest list's element.
    let slotDefinition: Int

    var isInList: Bool { repetition > 0 }
}

/// How types without one obvious storage are written.
public enum ParquetProfile: Sendable, Hashable {
    /// uuid as FIXED(16) UUID, time as Time.
    case standard
    /// As Delta's types have it: uuid is a string, time a long of µs (dialect.md §3's table).
    case delta
}

/// A tree being made from a table's schema, beside the elements that the footer lists.
struct ColumnTreeBuilder {
    let profile: ParquetProfile
    private(set) var elements: [SchemaElement] = []
    private var leafCount = 0

    /// Where a node stands.
    private struct Place {
        var path: [String] = []
        var columnPath: [String] = []
        var definition = 0
        var repetition = 0
        var slotDefinition = 0
    }

    init(profile: ParquetProfile) { self.profile = profile }

    /// The trees of a schema's columns. `fieldIDs`, one a column, go into the footer.
    mutating func columns(_ schema: Schema, fieldIDs: [Int32]?) throws(Failure) -> [ColumnNode] {
        elements = [SchemaElement(name: "schema", childCount: schema.count)]
        var nodes: [ColumnNode] = []
        for (index, field) in schema.fields.enumerated() {
            nodes.append(try node(field, Place(), fieldID: fieldIDs?[index]))
        }
        return nodes
    }

    private mutating func node(
        _ field: Field, _ outer: Place, fieldID: Int32? = nil, columnName: String? = nil
    ) throws(Failure) -> ColumnNode {
        var place = outer
        place.path.append(field.name)
        place.columnPath.append(columnName ?? field.name)
        if field.isNullable { place.definition += 1 }
        var element = SchemaElement()
        element.name = field.name
        element.repetition = field.isNullable ? .optional : .required
        element.fieldID = fieldID
        switch field.type {
        case .row(let row):
            guard !row.fields.isEmpty else {
                throw unsupported("column \"\(field.name)\", a row without fields,")
            }
            element.childCount = row.fields.count
            elements.append(element)
            var fields: [NamedNode] = []
            for child in row.fields {
                fields.append(NamedNode(name: child.name, node: try node(child, place)))
            }
            return .group(fields: fields, definition: place.definition)
        case .array(let elementType):
            if case .row(let entry) = elementType, ParquetMap.types(field.type) != nil {
                return try map(of: entry, element, place)
            }
            return try list(of: elementType, element, place)
        default:
            return .leaf(try leaf(field.type, element, place))
        }
    }

    /// The 3-level structure of LogicalTypes.md "Lists".
    private mutating func list(
        of elementType: LogicalType, _ outer: SchemaElement, _ place: Place
    ) throws(Failure) -> ColumnNode {
        var element = outer
        element.childCount = 1
        element.annotation = .list
        elements.append(element)
        elements.append(SchemaElement(repetition: .repeated, name: "list", childCount: 1))
        var inner = place
        inner.path.append("list")
        inner.definition += 1
        inner.repetition += 1
        inner.slotDefinition = inner.definition
        let node = try node(Field("element", elementType), inner)
        return .list(
            node, definition: place.definition, elementDefinition: inner.definition,
            repetition: inner.repetition)
    }

    /// LogicalTypes.md "Maps".
    private mutating func map(
        of entry: RowType, _ outer: SchemaElement, _ place: Place
    ) throws(Failure) -> ColumnNode {
        var element = outer
        element.childCount = 1
        element.annotation = .map
        elements.append(element)
        elements.append(SchemaElement(repetition: .repeated, name: "key_value", childCount: 2))
        var inner = place
        inner.path.append("key_value")
        inner.definition += 1
        inner.repetition += 1
        inner.slotDefinition = inner.definition
        var fields: [NamedNode] = []
        for field in entry.fields {
            fields.append(NamedNode(name: field.name, node: try node(field, inner)))
        }
        return .list(
            .group(fields: fields, definition: inner.definition), definition: place.definition,
            elementDefinition: inner.definition, repetition: inner.repetition)
    }

    private mutating func leaf(
        _ type: LogicalType, _ outer: SchemaElement, _ place: Place
    ) throws(Failure) -> Leaf {
        var element = outer
        let (storage, length, annotation) = try layout(of: type, name: outer.name)
        element.type = storage
        element.typeLength = length
        element.annotation = annotation
        elements.append(element)
        defer { leafCount += 1 }
        return Leaf(
            index: leafCount, path: place.path, columnPath: place.columnPath, storage: storage,
            typeLength: length, annotation: annotation, type: type, definition: place.definition,
            repetition: place.repetition, slotDefinition: place.slotDefinition)
    }

    private func layout(
        of type: LogicalType, name: String
    ) throws(Failure) -> (StorageType, Int, Annotation) {
        switch type {
        case .boolean: return (.boolean, 0, .none)
        case .smallint: return (.int32, 0, .integer(bits: 16, isSigned: true))
        case .integer: return (.int32, 0, .none)
        case .bigint: return (.int64, 0, .none)
        case .real: return (.float, 0, .none)
        case .double: return (.double, 0, .none)
        case .text, .json: return (.byteArray, 0, .string)
        case .bytea: return (.byteArray, 0, .none)
        case .date: return (.int32, 0, .date)
        case .time: return (.int64, 0, profile == .delta ? .none : .time(.microseconds))
        case .timestamp: return (.int64, 0, .timestamp(.microseconds, isUTC: false))
        case .timestamptz: return (.int64, 0, .timestamp(.microseconds, isUTC: true))
        case .uuid: return profile == .delta ? (.byteArray, 0, .string) : (.fixed, 16, .uuid)
        case .numeric(let precision, let scale):
            let annotation = Annotation.decimal(precision: precision, scale: scale)
            if precision <= 9 { return (.int32, 0, annotation) }
            if precision <= 18 { return (.int64, 0, annotation) }
            return (.fixed, decimalByteCount(precision), annotation)
        case .interval:
            throw Failure(
                .invalid, "parquet.type",
                "column \"\(name)\" is an interval, which no table stores",
                hint: "cast it to text, or to its seconds")
        case .unknown:
            throw Failure(
                .invalid, "parquet.type", "column \"\(name)\" has no type",
                hint: "cast the NULL: NULL::text")
        case .array, .row: bug("a nested type reached a leaf")
        }
    }
}

/// The fewest bytes whose signed range holds every number of `precision` digits (LogicalTypes.md
/// "DECIMAL").
func decimalByteCount(_ precision: Int) -> Int {
    var largest: Int128 = 0
    for _ in 0..<precision { largest = largest * 10 + 9 }
    return (129 - largest.leadingZeroBitCount + 7) / 8
}
