// Functions on bytes: encodings and digests.

extension FunctionTable {
    static let binary: [Function] = []
}
