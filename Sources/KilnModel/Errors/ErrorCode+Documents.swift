// The meaning that each code has in the index documents it.
// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation

extension ErrorCode {
    public static let fileInvalid = ErrorCode(
        "file.invalid",
        .invalidFile,
        "a lab or scenario file is wrong; every problem is named with its line"
    )
    public static let nameInvalid = ErrorCode(
        "name.invalid",
        .invalidFile,
        "a name has characters, or a length, that names can't have"
    )
    public static let recipeCycle = ErrorCode("recipe.cycle", .invalidFile, "recipes are made from each other")
    public static let recipeIncomplete = ErrorCode(
        "recipe.incomplete",
        .invalidFile,
        "neither a recipe nor its parent says how the image boots"
    )
    public static let recipeInvalid = ErrorCode(
        "recipe.invalid",
        .invalidFile,
        "a recipe is wrong; every problem is named with its line"
    )
    public static let recipeMissing = ErrorCode(
        "recipe.missing",
        .invalidFile,
        "a recipe, or a folder that it needs, is not there"
    )
    public static let recipeNoPackages = ErrorCode(
        "recipe.no-packages",
        .invalidFile,
        "packages are to be installed in a tree without apt"
    )
    public static let recipeParentBootsItself = ErrorCode(
        "recipe.parent-boots-itself",
        .invalidFile,
        "a recipe begins with an image whose disk has partitions"
    )
    public static let recipeVersionMissing = ErrorCode(
        "recipe.version-missing",
        .usage,
        "the recipe has no such version"
    )
    public static let userDataFormUnread = ErrorCode(
        "user-data.form-unread",
        .aborted,
        "user-data has a form that the image's cloud-init does not read"
    )
    public static let userDataNotAList = ErrorCode(
        "user-data.not-a-list",
        .invalidFile,
        "user-data holds something else where Kiln adds to a list"
    )
    public static let userDataOwnMount = ErrorCode(
        "user-data.own-mount",
        .aborted,
        "user-data mounts volumes itself, which does not go with warm-first"
    )
    public static let userDataReferenceUnknown = ErrorCode(
        "user-data.reference-unknown",
        [.internalError, .invalidFile],
        "user-data names a port that is not published"
    )

    /// The codes of errors about files that users write.
    public static let documents: [ErrorCode] = [
        fileInvalid, nameInvalid, recipeCycle, recipeIncomplete, recipeInvalid, recipeMissing, recipeNoPackages,
        recipeParentBootsItself, recipeVersionMissing, userDataFormUnread,
        userDataNotAList, userDataOwnMount, userDataReferenceUnknown,
    ]
}
