// Functions on arrays.

extension FunctionTable {
    static let arrays: [Function] = []
}
