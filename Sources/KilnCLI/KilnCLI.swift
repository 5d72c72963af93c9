// KilnCLI
