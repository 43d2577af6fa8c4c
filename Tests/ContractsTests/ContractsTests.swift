import Testing

@Suite struct ContractsTests {}
