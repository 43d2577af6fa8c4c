// Millrace
