
# bash splits words at a colon, and images have one. With bash-completion, which loads this file, they are put together again.
_kiln_with_colons() {
    local cur prev words cword
    _get_comp_words_by_ref -n : cur prev words cword
    COMP_WORDS=("${words[@]}")
    COMP_CWORD=$cword
    _kiln "$1" "$cur" "$prev"
    # Files are quoted where they have to be, and folders get a slash; in what is none, a colon would be quoted.
    [[ ! -e ${COMPREPLY[0]-} ]] || compopt -o filenames
    __ltrim_colon_completions "$cur"
}
! declare -F _get_comp_words_by_ref __ltrim_colon_completions >/dev/null || complete -F _kiln_with_colons kiln
