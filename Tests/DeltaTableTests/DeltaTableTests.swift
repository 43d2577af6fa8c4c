import Testing

@Suite struct DeltaTableTests {}
