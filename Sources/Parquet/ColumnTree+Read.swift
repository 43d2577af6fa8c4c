// A file's schema as a tree: lists and maps in all the shapes that writers have used
// (LogicalTypes.md "Backward-compatibility rules").

import Contracts
import Types

/// Reads the footer's flat list of elements, depth first.
struct SchemaTreeReader {
    private let elements: [SchemaElement]
    private var position = 1
    private var leafCount = 0

    private struct Place {
        var path: [String] = []
        var definition = 0
        var repetition = 0
        var slotDefinition = 0
    }

    private struct Result {
        let node: ColumnNode
        let field: Field
    }

    private init(_ elements: [SchemaElement]) { self.elements = elements }

    /// The columns of the root.
    static func read(
        _ elements: [SchemaElement]
    ) throws(Failure) -> (nodes: [ColumnNode], schema: Schema) {
        guard let root = elements.first else { throw corrupt("it has no schema") }
        var reader = SchemaTreeReader(elements)
        var nodes: [ColumnNode] = []
        var fields: [Field] = []
        guard root.childCount < elements.count else { throw corrupt("its schema is cut short") }
        for _ in 0..<root.childCount {
            let result = try reader.node(Place(), depth: 0)
            nodes.append(result.node)
            fields.append(result.field)
        }
        guard reader.position == elements.count else { throw corrupt("its schema has loose ends") }
        return (nodes, Schema(fields))
    }

    private mutating func next() throws(Failure) -> SchemaElement {
        guard position < elements.count else { throw corrupt("its schema is cut short") }
        defer { position += 1 }
        return elements[position]
    }

    private mutating func node(_ outer: Place, depth: Int) throws(Failure) -> Result {
        guard depth < ParquetLimit.schemaDepth else { throw corrupt("its schema nests too deep") }
        let element = try next()
        var place = outer
        place.path.append(element.name)
        switch element.repetition {
        case .required: break
        case .optional: place.definition += 1
        case .repeated: return try bareRepeated(element, place, depth: depth)
        }
        return try content(
            element, place, isNullable: element.repetition == .optional, depth: depth)
    }

    /// A repeated field outside a LIST group: a required list of required elements.
    private mutating func bareRepeated(
        _ element: SchemaElement, _ outer: Place, depth: Int
    ) throws(Failure) -> Result {
        let inner = insideList(outer)
        let result = try content(element, inner, isNullable: false, depth: depth + 1)
        return wrapped(result, element.name, isNullable: false, outer, inner)
    }

    private func insideList(_ outer: Place) -> Place {
        var inner = outer
        inner.definition += 1
        inner.repetition += 1
        inner.slotDefinition = inner.definition
        return inner
    }

    private func wrapped(
        _ element: Result, _ name: String, isNullable: Bool, _ outer: Place, _ inner: Place
    ) -> Result {
        Result(
            node: .list(
                element.node, definition: outer.definition, elementDefinition: inner.definition,
                repetition: inner.repetition),
            field: Field(name, .array(element.field.type), isNullable: isNullable))
    }

    /// A LIST or MAP group with its one repeated child.
    private mutating func list(
        _ element: SchemaElement, _ outer: Place, isNullable: Bool, depth: Int
    ) throws(Failure) -> Result {
        guard depth < ParquetLimit.schemaDepth else { throw corrupt("its schema nests too deep") }
        let repeated = elements[position]
        var inner = insideList(outer)
        inner.path.append(repeated.name)
        let isElement: Bool =
            if element.annotation == .map || repeated.type != nil || repeated.childCount != 1 {
                true
            } else if repeated.name == "array" || repeated.name == "\(element.name)_tuple" {
                true
            } else {
                position + 1 < elements.count && elements[position + 1].repetition == .repeated
            }
        let result: Result
        if isElement {
            position += 1
            result = try content(repeated, inner, isNullable: false, depth: depth + 1)
        } else {
            position += 1
            result = try node(inner, depth: depth + 1)
        }
        return wrapped(result, element.name, isNullable: isNullable, outer, inner)
    }

    /// A list, a group's fields or a leaf; levels for its own repetition are already in `place`.
    private mutating func content(
        _ element: SchemaElement, _ place: Place, isNullable: Bool, depth: Int
    ) throws(Failure) -> Result {
        guard element.type == nil else {
            let leaf = try leaf(element, place)
            return Result(
                node: .leaf(leaf), field: Field(element.name, leaf.type, isNullable: isNullable))
        }
        if element.annotation == .list || element.annotation == .map, element.childCount == 1,
            position < elements.count, elements[position].repetition == .repeated
        {
            return try list(element, place, isNullable: isNullable, depth: depth)
        }
        guard element.childCount > 0 else { throw unsupported("a group without fields") }
        var nodes: [NamedNode] = []
        var fields: [Field] = []
        for _ in 0..<element.childCount {
            let child = try node(place, depth: depth + 1)
            nodes.append(NamedNode(name: child.field.name, node: child.node))
            fields.append(child.field)
        }
        return Result(
            node: .group(fields: nodes, definition: place.definition),
            field: Field(
                element.name, .row(RowType(name: nil, fields: fields)), isNullable: isNullable))
    }

    private mutating func leaf(_ element: SchemaElement, _ place: Place) throws(Failure) -> Leaf {
        guard let storage = element.type else { throw corrupt("a leaf has no type") }
        guard element.childCount == 0 else { throw corrupt("a leaf has children") }
        if storage == .fixed, element.typeLength < 1 || element.typeLength > 1 << 20 {
            throw corrupt("a fixed length of \(element.typeLength)")
        }
        defer { leafCount += 1 }
        let annotation = understood(element)
        return Leaf(
            index: leafCount, path: place.path, columnPath: place.path, storage: storage,
            typeLength: element.typeLength, annotation: annotation,
            type: logicalType(storage, annotation), definition: place.definition,
            repetition: place.repetition, slotDefinition: place.slotDefinition)
    }

    /// The annotation if it fits the storage, else none: the column is read as it is stored.
    private func understood(_ element: SchemaElement) -> Annotation {
        let storage = element.type
        let fits: Bool =
            switch element.annotation {
            case .none: true
            case .string, .json: storage == .byteArray
            case .map, .list: false
            case .date: storage == .int32
            case .time(let unit): storage == (unit == .milliseconds ? .int32 : .int64)
            case .timestamp: storage == .int64
            case .uuid: storage == .fixed && element.typeLength == 16
            case .float16: storage == .fixed && element.typeLength == 2
            case .interval: storage == .fixed && element.typeLength == 12
            case .integer(let bits, _): storage == (bits == 64 ? .int64 : .int32)
            case .unknown: true
            case .decimal(let precision, let scale):
                precision > 0 && precision <= LogicalType.maximumPrecision && scale >= 0
                    && scale <= precision
                    && [.int32, .int64, .byteArray, .fixed].contains(storage)
            }
        return fits ? element.annotation : .none
    }

    private func logicalType(_ storage: StorageType, _ annotation: Annotation) -> LogicalType {
        switch (storage, annotation) {
        case (_, .decimal(let precision, let scale)):
            .numeric(precision: precision, scale: scale)
        case (.boolean, _): .boolean
        case (.int32, .date): .date
        case (.int32, .time), (.int64, .time): .time
        case (.int32, .integer(let bits, let isSigned)):
            bits == 32
                ? (isSigned ? .integer : .bigint)
                : bits == 16 && !isSigned ? .integer : .smallint
        case (.int32, _): .integer
        case (.int64, .timestamp(_, let isUTC)): isUTC ? .timestamptz : .timestamp
        case (.int64, .integer(_, isSigned: false)): .numeric(precision: 20, scale: 0)
        case (.int64, _): .bigint
        case (.int96, _): .timestamptz
        case (.float, _): .real
        case (.double, _): .double
        case (.byteArray, .string): .text
        case (.byteArray, .json): .json
        case (.byteArray, _): .bytea
        case (.fixed, .uuid): .uuid
        case (.fixed, .float16): .real
        case (.fixed, .interval): .interval
        case (.fixed, _): .bytea
        }
    }
}
