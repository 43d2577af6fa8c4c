// Functions on dates, times and intervals.

extension FunctionTable {
    static let time: [Function] = []
}
