// Operators: arithmetic and comparison.

extension FunctionTable {
    static let operators: [Function] = []
}
