// Commands that this build does not have: refused by name.

import Contracts

extension EngineRunner {
    public func test(_ command: TestCommand, _ terminal: Terminal) async throws -> Int32 {
        try refuse("test")
    }

    private func refuse(_ name: String) throws -> Int32 {
        throw Failure(
            .invalid, "usage.unavailable", "this build has no millrace \(name)",
            hint: "millrace --help lists the commands")
    }
}
