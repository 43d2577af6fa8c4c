// Operators
