// Mathematical functions.

extension FunctionTable {
    static let math: [Function] = []
}
