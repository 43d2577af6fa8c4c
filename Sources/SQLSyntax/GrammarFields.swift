// Numbers of pg_query.proto (libpg_query 15-4.0.0): kinds of nodes, fields of messages, values of
// enums. Only those that the dialect looks at.

/// Field numbers of the wrapper `Node`.
enum NodeKind {
    static let rangeVariable = 2, groupingFunction = 7, namedArgument = 11, boolean = 16
    static let subLink = 17, caseExpression = 27, caseWhen = 28, row = 31, coalesce = 33
    static let minMax = 34, valueFunction = 35, xml = 36, nullTest = 37, booleanTest = 38
    static let setToDefault = 41, join = 47, insert = 54, select = 58, returnStatement = 59
    static let createTable = 71, createFunction = 78, view = 87, createTableAs = 94
    static let variableSet = 97, checkpoint = 108, compositeType = 132
    static let operation = 171, columnReference = 172, parameter = 173, functionCall = 174
    static let star = 175, indices = 176, indirection = 177, array = 178, resultTarget = 179
    static let typeCast = 181, collate = 182, sortBy = 183, windowDefinition = 184
    static let rangeSubselect = 185, rangeFunction = 186, rangeTableSample = 187
    static let rangeTableFunction = 188, typeName = 190, columnDefinition = 191
    static let constraint = 194, definition = 195, groupingSet = 201, likeClause = 206
    static let functionParameter = 207, commonTable = 216, integer = 230, float = 231
    static let booleanValue = 232, string = 233, list = 235, constant = 238
}

/// Field numbers, by message.
enum Field {
    enum Parse { static let statements = 2 }
    enum Statement { static let node = 1, location = 2, length = 3 }
    enum Scan { static let tokens = 2 }
    enum Token { static let start = 1, end = 2, code = 4, keyword = 5 }

    enum Select {
        static let distinct = 1, into = 2, targets = 3, from = 4, whereCondition = 5, groupBy = 6
        static let groupDistinct = 7, having = 8, windows = 9, values = 10, orderBy = 11
        static let offset = 12, limit = 13, limitOption = 14, locking = 15, with = 16
        static let operation = 17, isAll = 18, left = 19, right = 20
    }
    enum Insert {
        static let relation = 1, columns = 2, query = 3, onConflict = 4, returning = 5, with = 6
        static let override = 7
    }
    enum CreateTable {
        static let relation = 1, elements = 2, inherits = 3, partitionBound = 4, partition = 5
        static let ofType = 6, constraints = 7, options = 8, onCommit = 9, tablespace = 10
        static let accessMethod = 11
    }
    enum View { static let relation = 1, columns = 2, query = 3, options = 5, checkOption = 6 }
    enum CreateTableAs { static let query = 1, into = 2, objectType = 3, isSelectInto = 4 }
    enum Into {
        static let relation = 1, columns = 2, accessMethod = 3, options = 4, onCommit = 5
        static let tablespace = 6, skipsData = 8
    }
    enum CompositeType { static let relation = 1, columns = 2 }
    enum CreateFunction {
        static let isProcedure = 1, name = 3, parameters = 4, result = 5, options = 6, body = 7
    }
    enum FunctionParameter { static let name = 1, type = 2, mode = 3, defaultValue = 4 }
    enum VariableSet { static let kind = 1, name = 2, arguments = 3, isLocal = 4 }
    enum Definition { static let namespace = 1, name = 2, argument = 3, location = 5 }
    enum Column {
        static let name = 1, type = 2, compression = 3, storage = 9, collation = 14
        static let constraints = 16, location = 18
    }
    enum Constraint {
        static let kind = 1, name = 2, location = 5, isNoInherit = 6, expression = 7, keys = 11
        static let including = 12, options = 14, indexName = 15
    }
    enum TypeName {
        static let names = 1, isSet = 3, isPercentType = 4, modifiers = 5, arrayBounds = 7
        static let location = 8
    }
    enum Target { static let name = 1, indirection = 2, value = 3, location = 4 }
    enum Relation {
        static let catalog = 1, schema = 2, name = 3, inherits = 4, persistence = 5, alias = 6
        static let location = 7
    }
    enum Alias { static let name = 1, columns = 2 }
    enum Subselect { static let isLateral = 1, query = 2, alias = 3 }
    enum RangeFunction {
        static let hasOrdinality = 2, isRowsFrom = 3, functions = 4, alias = 5, columns = 6
    }
    enum Join {
        static let kind = 1, isNatural = 2, left = 3, right = 4, using = 5, usingAlias = 6
        static let condition = 7, alias = 8
    }
    enum With { static let tables = 1, isRecursive = 2, location = 3 }
    enum CommonTable {
        static let name = 1, columns = 2, query = 4, search = 5, cycle = 6, location = 7
    }
    enum Sort { static let node = 1, direction = 2, nulls = 3, using = 4, location = 5 }
    enum ColumnReference { static let fields = 1, location = 2 }
    enum Constant {
        static let integer = 1, float = 2, boolean = 3, string = 4, bits = 5, isNull = 10
        static let location = 11
    }
    /// Integer, Float, Boolean, String: one field.
    enum Value { static let value = 1 }
    enum List { static let items = 1 }
    enum Cast { static let argument = 1, type = 2, location = 3 }
    enum Operation { static let kind = 1, name = 2, left = 3, right = 4, location = 5 }
    enum Boolean { static let kind = 2, arguments = 3, location = 4 }
    enum NullTest { static let argument = 2, kind = 3, location = 5 }
    enum BooleanTest { static let argument = 2, kind = 3, location = 4 }
    enum Case { static let operand = 4, branches = 5, otherwise = 6, location = 7 }
    enum When { static let condition = 2, result = 3, location = 4 }
    enum Coalesce { static let arguments = 4, location = 5 }
    enum MinMax { static let kind = 5, arguments = 6, location = 7 }
    enum ValueFunction { static let kind = 2, modifier = 4, location = 5 }
    enum SubLink { static let kind = 2, operators = 5, query = 6, location = 7 }
    enum Call {
        static let name = 1, arguments = 2, orderBy = 3, filter = 4, over = 5, isWithinGroup = 6
        static let isStar = 7, isDistinct = 8, isVariadic = 9, format = 10, location = 11
    }
    enum NamedArgument { static let value = 2, name = 3, location = 5 }
    enum WindowDefinition { static let location = 8 }
    enum Indirection { static let argument = 1, steps = 2 }
    enum Indices { static let isSlice = 1, lower = 2, upper = 3 }
    enum Array { static let elements = 1, location = 2 }
    enum Row { static let arguments = 2, location = 6 }
    enum Collate { static let argument = 1, name = 2, location = 3 }
    enum Grouping { static let location = 6 }
    enum GroupingSet { static let location = 3 }
    enum Parameter { static let number = 1, location = 2 }
    enum SetToDefault { static let location = 5 }
    enum Return { static let value = 1 }
}

/// Values of enums, by enum.
enum GrammarValue {
    enum SetOperation { static let none = 1, union = 2, intersect = 3, except = 4 }
    enum LimitOption { static let withTies = 3 }
    enum ViewCheck { static let none = 1 }
    enum OnCommit { static let none = 1 }
    enum Override { static let none = 1 }
    enum ObjectType { static let materializedView = 24 }
    enum VariableSet { static let value = 1 }
    enum FunctionParameterMode { static let input = 1, standard = 6 }
    enum Constraint {
        static let null = 1, notNull = 2, standard = 3, identity = 4, generated = 5, check = 6
        static let primaryKey = 7, unique = 8, exclusion = 9, foreignKey = 10
    }
    enum SortDirection { static let descending = 3, using = 4 }
    enum SortNulls { static let first = 2, last = 3 }
    enum Join { static let inner = 1, left = 2, full = 3, right = 4 }
    enum SubLink { static let exists = 1, all = 2, any = 3, expression = 5, array = 7 }
    enum Boolean { static let and = 1, or = 2, not = 3 }
    enum NullTest { static let isNotNull = 2 }
    enum MinMax { static let greatest = 1 }
    enum CallFormat { static let sqlSyntax = 4 }
    enum Operation {
        static let plain = 1, any = 2, all = 3, distinct = 4, notDistinct = 5, nullIf = 6,
            inList = 7
        static let like = 8, ilike = 9, similar = 10, between = 11, notBetween = 12
        static let betweenSymmetric = 13, notBetweenSymmetric = 14
    }
    enum Token {
        static let identifier = 258, unicodeIdentifier = 259, string = 261, unicodeString = 262
        static let lineComment = 275, blockComment = 276
    }
    enum Keyword { static let none = 0, reserved = 4 }
}
