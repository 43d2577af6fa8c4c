// `millrace demo`: bids into a broker, the shipped topology as its own process, a kill -9 half-way,
// and the table held against a plain recomputation.

import Contracts
import Foundation
import Runtime

extension EngineRunner {
    public func demo(_ command: DemoCommand, _ terminal: Terminal) async throws -> Int32 {
        let stop = StopRequest()
        SignalThread.start(stop)
        return try await onThread { () throws(Failure) in
            try DemoRun(command, terminal, stop).run()
        }
    }
}
