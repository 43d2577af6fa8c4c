// Functions on JSON.

extension FunctionTable {
    static let json: [Function] = []
}
