// Random histories from the command line (scripts/simulate). For tests only, never installed.

import CJemalloc
import Environment
import Foundation
import TestKit

guard let request = SimulationRequest(Array(CommandLine.arguments.dropFirst())) else {
    FileHandle.standardError.write(Data(SimulationRequest.usage.utf8))
    exit(2)
}
if let mutant = request.mutant { Mutant.activate(mutant) }
exit(SimulationRun(request).run() ? 0 : 1)
