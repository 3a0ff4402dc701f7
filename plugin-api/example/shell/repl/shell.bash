# Start-up file of the bash behind the kind "shell" (bash --rcfile). shell_repl.cpp writes lines to
# its stdin that call these functions; they answer on descriptor 251: fields that each end with a
# NUL, and an empty field after the last. A statement itself runs by `eval` at top level, not in one
# of the functions, as what it declares would be gone with the function.

# Names for the user's code to leave alone begin with __hearth_.

# Tells whether $__hearth_code, statement $1, is whole. Only then it is run: eval alone would run
# the lines before an error. A process of its own, as `set -n` has no effect in an interactive bash.
__hearth_check() {
  local said extglob=+O
  shopt -q extglob && extglob=-O
  said=$(LC_ALL=C "$BASH" --norc "$extglob" extglob -n <<<"$__hearth_code" 2>&1)
  # A here-document without its end is a warning only.
  case $said in
    '') return 0 ;;
    *'unexpected end of file'* | *'unexpected EOF'* | *'delimited by end-of-file'*)
      printf '%s\0' incomplete "$1" "$said" '' >&251 ;;
    *) printf '%s\0' syntax "$1" "$said" '' >&251 ;;
  esac
  return 1
}

# Makes $? what the statement before has left.
__hearth_last() { return "$1"; }

# Statement $1 has ended with status $2.
__hearth_end() {
  PS1='' PS2='' PROMPT_COMMAND=''  # a prompt would be printed among the user's output
  printf '%s\0' end "$1" "$2" '' >&251
}

# Request $1: what the last word of the line $2 may become.
__hearth_complete() {
  local line=$2 word IFS=$'\n' found
  word=${line##*[[:space:];|&()<>=\"\'\`]}
  local before=${line%"$word"}
  before=${before%"${before##*[![:space:]]}"}  # without white space at its end
  # "head" also ends the search where there are very many names.
  case $word in
    '${'*) found=$(compgen -P '${' -S '}' -A variable -- "${word#??}" | head -n 500) ;;
    '$'*) found=$(compgen -P '$' -A variable -- "${word#?}" | head -n 500) ;;
    *)
      if [[ -z $before || $before == *[\;\|\&\(\`] ]] && [[ $word != */* ]]; then
        found=$(compgen -A command -- "$word" | head -n 500)
      else
        found=$(compgen -A file -- "$word" | head -n 500)
      fi ;;
  esac
  printf '%s\0' candidates "$1" $(set -f; sort -u <<<"$found") '' >&251
}

readonly -f __hearth_check __hearth_last __hearth_end __hearth_complete

set +H +o history  # "!" is no history here, and nothing is written to ~/.bash_history
unset MAILCHECK
[[ -z $HEARTH_STARTUP ]] || . "$HEARTH_STARTUP" </dev/null 251>&-
unset HEARTH_STARTUP
__hearth_end 0 0  # ready
