// Regular expressions and LIKE.

extension FunctionTable {
    static let regularExpressions: [Function] = []
}
