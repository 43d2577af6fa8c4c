// Functions that choose among their arguments.

extension FunctionTable {
    static let conditional: [Function] = []
}
