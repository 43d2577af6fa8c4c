// The part of PostgreSQL's tree that Millrace's dialect has, typed and with places.
//
// Made from libpg_query's tree by `parseTopology`. What the dialect never has (UPDATE,
// transactions, …) is refused there by name; what it doesn't have yet (joins, OVER, …) is kept, so
// that the planner can refuse it by name.

public import Contracts

/// A statement of a topology, with the place of its first word.
public struct Statement: Sendable {
    public let kind: StatementKind
    public let place: SourcePlace
    /// The bytes of the file that the statement covers, for messages and `explain`.
    public let range: Range<Int>

    public init(kind: StatementKind, place: SourcePlace, range: Range<Int>) {
        self.kind = kind
        self.place = place
        self.range = range
    }
}

public enum StatementKind: Sendable {
    case set(SetStatement)
    case createTable(CreateTable)
    case createView(CreateView)
    case createMaterializedView(CreateMaterializedView)
    case createType(CreateType)
    case createFunction(CreateFunction)
    case insert(Insert)
    /// A bare SELECT or VALUES: `query` and tests.
    case select(Query)
    /// `CHECKPOINT;`: a barrier at this place of a test file.
    case checkpoint
}

/// A name with its place.
public struct Name: Sendable, Hashable {
    public let text: String
    public let place: SourcePlace

    public init(_ text: String, place: SourcePlace) {
        self.text = text
        self.place = place
    }
}

/// `name = value` of `WITH (…)`, or of SET. The value is text with `${…}` not replaced yet.
public struct OptionSyntax: Sendable {
    public let name: Name
    public let value: String
    public let valuePlace: SourcePlace

    public init(name: Name, value: String, valuePlace: SourcePlace) {
        self.name = name
        self.value = value
        self.valuePlace = valuePlace
    }
}

/// `SET name = 'value'`, `SET TIME ZONE '…'` (name `time_zone`).
public struct SetStatement: Sendable {
    public let option: OptionSyntax

    public init(option: OptionSyntax) { self.option = option }
}

public struct CreateTable: Sendable {
    public let name: Name
    public let columns: [ColumnDefinition]
    public let constraints: [TableConstraint]
    /// After USING; nil where it is missing, which the planner refuses toward CREATE VIEW.
    public let connector: Name?
    public let options: [OptionSyntax]

    public init(
        name: Name, columns: [ColumnDefinition], constraints: [TableConstraint], connector: Name?,
        options: [OptionSyntax]
    ) {
        self.name = name
        self.columns = columns
        self.constraints = constraints
        self.connector = connector
        self.options = options
    }
}

public struct ColumnDefinition: Sendable {
    public let name: Name
    public let type: TypeName
    public let isNotNull: Bool
    public let isPrimaryKey: Bool
    public let checks: [Check]
    /// `GENERATED ALWAYS AS (…) STORED`.
    public let generated: ExpressionSyntax?
    public let defaultValue: ExpressionSyntax?

    public init(
        name: Name, type: TypeName, isNotNull: Bool, isPrimaryKey: Bool, checks: [Check],
        generated: ExpressionSyntax?, defaultValue: ExpressionSyntax?
    ) {
        self.name = name
        self.type = type
        self.isNotNull = isNotNull
        self.isPrimaryKey = isPrimaryKey
        self.checks = checks
        self.generated = generated
        self.defaultValue = defaultValue
    }
}

public struct Check: Sendable {
    /// As written, or made: `<table>_<column>_check`.
    public let name: String
    public let condition: ExpressionSyntax

    public init(name: String, condition: ExpressionSyntax) {
        self.name = name
        self.condition = condition
    }
}

public enum TableConstraint: Sendable {
    case primaryKey([Name])
    case check(Check)
}

/// `integer`, `numeric(10,2)`, `text[]`, `my_row`.
public struct TypeName: Sendable {
    /// Lower case, without `pg_catalog`; PostgreSQL's own spelling as parsed (`int8`,
    /// `timestamptz`).
    public let name: String
    /// Integer modifiers: `[10, 2]` of `numeric(10,2)`. Of an interval first PostgreSQL's mask of
    /// fields (bit 1 month, 2 year, 3 day, 10 hour, 11 minute, 12 second; 0x7fff all), then its
    /// precision.
    public let modifiers: [Int]
    public let arrayDimensions: Int
    public let place: SourcePlace

    public init(name: String, modifiers: [Int], arrayDimensions: Int, place: SourcePlace) {
        self.name = name
        self.modifiers = modifiers
        self.arrayDimensions = arrayDimensions
        self.place = place
    }
}

public struct CreateView: Sendable {
    public let name: Name
    public let columnNames: [Name]
    public let query: Query

    public init(name: Name, columnNames: [Name], query: Query) {
        self.name = name
        self.columnNames = columnNames
        self.query = query
    }
}

public struct CreateMaterializedView: Sendable {
    public let name: Name
    public let columnNames: [Name]
    public let connector: Name?
    public let options: [OptionSyntax]
    public let query: Query

    public init(
        name: Name, columnNames: [Name], connector: Name?, options: [OptionSyntax], query: Query
    ) {
        self.name = name
        self.columnNames = columnNames
        self.connector = connector
        self.options = options
        self.query = query
    }
}

/// `CREATE TYPE name AS (field type, …)`.
public struct CreateType: Sendable {
    public let name: Name
    public let fields: [(name: Name, type: TypeName)]

    public init(name: Name, fields: [(name: Name, type: TypeName)]) {
        self.name = name
        self.fields = fields
    }
}

/// `CREATE FUNCTION … LANGUAGE SQL`: one expression, inlined at each call.
public struct CreateFunction: Sendable {
    public let name: Name
    public let parameters: [(name: Name?, type: TypeName)]
    public let result: TypeName
    /// The body parsed again; places point into the topology's file where the body allows it.
    public let body: ExpressionSyntax

    public init(
        name: Name, parameters: [(name: Name?, type: TypeName)], result: TypeName,
        body: ExpressionSyntax
    ) {
        self.name = name
        self.parameters = parameters
        self.result = result
        self.body = body
    }
}

public struct Insert: Sendable {
    public let table: Name
    public let columns: [Name]
    public let query: Query

    public init(table: Name, columns: [Name], query: Query) {
        self.table = table
        self.columns = columns
        self.query = query
    }
}

/// A SELECT with everything around it.
public struct Query: Sendable {
    public let commonTables: [CommonTable]
    public let body: QueryBody
    public let orderBy: [SortKey]
    public let limit: ExpressionSyntax?
    public let offset: ExpressionSyntax?
    public let place: SourcePlace

    public init(
        commonTables: [CommonTable], body: QueryBody, orderBy: [SortKey],
        limit: ExpressionSyntax?, offset: ExpressionSyntax?, place: SourcePlace
    ) {
        self.commonTables = commonTables
        self.body = body
        self.orderBy = orderBy
        self.limit = limit
        self.offset = offset
        self.place = place
    }
}

public struct CommonTable: Sendable {
    public let name: Name
    public let columnNames: [Name]
    public let query: Query
    public let isRecursive: Bool

    public init(name: Name, columnNames: [Name], query: Query, isRecursive: Bool) {
        self.name = name
        self.columnNames = columnNames
        self.query = query
        self.isRecursive = isRecursive
    }
}

public indirect enum QueryBody: Sendable {
    case select(Select)
    case values([[ExpressionSyntax]])
    case setOperation(SetOperation, isAll: Bool, Query, Query, place: SourcePlace)
}

public enum SetOperation: String, Sendable { case union, intersect, except }

public struct Select: Sendable {
    public let distinct: Distinct
    public let items: [SelectItem]
    /// Comma-separated items; more than one is a cross join.
    public let from: [FromItem]
    public let whereCondition: ExpressionSyntax?
    public let groupBy: [ExpressionSyntax]
    public let having: ExpressionSyntax?
    /// The place of a WINDOW clause, GROUPING SETS, FOR UPDATE …: what the planner refuses by name.
    public let refused: [(construct: String, place: SourcePlace)]

    public init(
        distinct: Distinct, items: [SelectItem], from: [FromItem],
        whereCondition: ExpressionSyntax?, groupBy: [ExpressionSyntax],
        having: ExpressionSyntax?, refused: [(construct: String, place: SourcePlace)]
    ) {
        self.distinct = distinct
        self.items = items
        self.from = from
        self.whereCondition = whereCondition
        self.groupBy = groupBy
        self.having = having
        self.refused = refused
    }
}

public enum Distinct: Sendable {
    case none
    case all
    case on([ExpressionSyntax])
}

public struct SelectItem: Sendable {
    public let expression: ExpressionSyntax
    public let alias: Name?

    public init(expression: ExpressionSyntax, alias: Name?) {
        self.expression = expression
        self.alias = alias
    }
}

public indirect enum FromItem: Sendable {
    case table(Name, alias: Alias?)
    case subquery(Query, alias: Alias?, isLateral: Bool, place: SourcePlace)
    /// `tumble(bids, ts, INTERVAL '10 s')`: a call in FROM.
    case function(FunctionCall, alias: Alias?)
    case join(Join)
}

public struct Alias: Sendable {
    public let name: Name
    public let columnNames: [Name]

    public init(name: Name, columnNames: [Name]) {
        self.name = name
        self.columnNames = columnNames
    }
}

public struct Join: Sendable {
    /// `INNER JOIN`, `LEFT JOIN`, `RIGHT JOIN`, `FULL JOIN`, `CROSS JOIN`, `NATURAL … JOIN`.
    public let kind: String
    public let left: FromItem
    public let right: FromItem
    public let condition: ExpressionSyntax?
    public let usingColumns: [Name]
    public let place: SourcePlace

    public init(
        kind: String, left: FromItem, right: FromItem, condition: ExpressionSyntax?,
        usingColumns: [Name], place: SourcePlace
    ) {
        self.kind = kind
        self.left = left
        self.right = right
        self.condition = condition
        self.usingColumns = usingColumns
        self.place = place
    }
}

public struct SortKey: Sendable {
    public let expression: ExpressionSyntax
    public let isDescending: Bool
    /// nil: PostgreSQL's default (last ascending, first descending).
    public let nullsFirst: Bool?

    public init(expression: ExpressionSyntax, isDescending: Bool, nullsFirst: Bool?) {
        self.expression = expression
        self.isDescending = isDescending
        self.nullsFirst = nullsFirst
    }
}

/// An expression as written.
public struct ExpressionSyntax: Sendable {
    public let kind: ExpressionKind
    public let place: SourcePlace

    public init(_ kind: ExpressionKind, place: SourcePlace) {
        self.kind = kind
        self.place = place
    }
}

public indirect enum ExpressionKind: Sendable {
    case null
    case boolean(Bool)
    /// A sign right before the digits is part of the literal, as in PostgreSQL: `-5`, `- 5`.
    case integer(Int64)
    /// Digits as written: `0.10`, `-1.5`, `1e3`, or an integer too large for 64 bits.
    case decimal(String)
    case string(String)
    /// `INTERVAL '10 seconds'`, `date '2026-01-01'` and every other `type 'literal'` are casts.
    case cast(ExpressionSyntax, TypeName)
    /// `a`, `t.a`, `s.t.a`.
    case column([Name])
    /// `$1`, from 1: a parameter in the body of a function.
    case parameter(Int)
    /// `*`, `t.*`.
    case star(qualifier: Name?)
    /// `(row).field`.
    case field(ExpressionSyntax, Name)
    /// `(row).*`.
    case allFields(ExpressionSyntax)
    /// `array[index]`, from 1; a slice has both bounds.
    case element(
        ExpressionSyntax, lower: ExpressionSyntax?, upper: ExpressionSyntax?, isSlice: Bool)
    case call(FunctionCall)
    /// A prefix (`left` nil) or infix operator by its symbol: `+`, `||`, `->>`, `~*`, `LIKE` as
    /// `~~`.
    case infix(String, left: ExpressionSyntax?, right: ExpressionSyntax)
    case and([ExpressionSyntax])
    case or([ExpressionSyntax])
    case not(ExpressionSyntax)
    case isNull(ExpressionSyntax, isNegated: Bool)
    /// `x IS [NOT] TRUE|FALSE|UNKNOWN`; nil is UNKNOWN.
    case isTruth(ExpressionSyntax, Bool?, isNegated: Bool)
    case isDistinct(ExpressionSyntax, ExpressionSyntax, isNegated: Bool)
    case between(
        ExpressionSyntax, ExpressionSyntax, ExpressionSyntax, isNegated: Bool, isSymmetric: Bool)
    case inList(ExpressionSyntax, [ExpressionSyntax], isNegated: Bool)
    /// `x = ANY (array)`, `x > ALL (array)`.
    case quantified(ExpressionSyntax, String, ExpressionSyntax, isAll: Bool)
    case caseWhen(
        operand: ExpressionSyntax?, branches: [(ExpressionSyntax, ExpressionSyntax)],
        otherwise: ExpressionSyntax?)
    case coalesce([ExpressionSyntax])
    case nullIf(ExpressionSyntax, ExpressionSyntax)
    case greatest([ExpressionSyntax])
    case least([ExpressionSyntax])
    case row([ExpressionSyntax])
    case array([ExpressionSyntax])
    case atTimeZone(ExpressionSyntax, zone: ExpressionSyntax)
    /// `current_timestamp`, `current_date` …: refused in a topology (dialect.md §3.5).
    case currentTime(String)
    case subquery(Query)
    /// `x COLLATE "…"`.
    case collate(ExpressionSyntax, Name)
    /// Something that the dialect names but does not have: GROUPING, XML …
    case refused(String)
}

public struct FunctionCall: Sendable {
    /// Lower case; `extract(hour from t)` is `extract('hour', t)`, `trim(…)` is btrim, `position(a
    /// in b)` is `position(b, a)`, as PostgreSQL's grammar makes them.
    public let name: Name
    public let arguments: [Argument]
    public let isStar: Bool
    public let isDistinct: Bool
    public let orderBy: [SortKey]
    public let filter: ExpressionSyntax?
    /// The place of OVER, if there is one.
    public let over: SourcePlace?

    public init(
        name: Name, arguments: [Argument], isStar: Bool, isDistinct: Bool, orderBy: [SortKey],
        filter: ExpressionSyntax?, over: SourcePlace?
    ) {
        self.name = name
        self.arguments = arguments
        self.isStar = isStar
        self.isDistinct = isDistinct
        self.orderBy = orderBy
        self.filter = filter
        self.over = over
    }

    public struct Argument: Sendable {
        /// `origin => …`.
        public let label: Name?
        public let value: ExpressionSyntax

        public init(label: Name?, value: ExpressionSyntax) {
            self.label = label
            self.value = value
        }
    }
}
