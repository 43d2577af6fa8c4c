// Functions on text.

extension FunctionTable {
    static let text: [Function] = []
}
