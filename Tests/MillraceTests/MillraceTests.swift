import Testing

@Suite struct MillraceTests {}
