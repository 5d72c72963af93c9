// KilnScenarios
