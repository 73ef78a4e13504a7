# SPDX-License-Identifier: GPL-2.0-or-later
# Turns what lagtop prints about itself into documents, so that no option, column or key is written down twice:
#   awk -v form=man|bash|zsh|fish -f docs.awk HELP COLUMNS KEYS [TEMPLATE]
# HELP is what --help prints, COLUMNS --list-columns, KEYS --list-keys. TEMPLATE is the man page, whose
# lines @options@, @columns@ and @keys@ are replaced.

FILENAME == ARGV[1] && /^  (-.,|   ) --/ {
	n++
	letter[n] = substr($0, 3, 1) == "-" ? substr($0, 4, 1) : ""
	text = substr($0, 7)
	match(text, /^--[^ ]+( [^ ]+)?/)
	option = substr(text, 1, RLENGTH)
	help[n] = substr(text, RLENGTH + 1)
	sub(/^ +/, "", help[n])
	split(option, part, " ")
	name[n] = substr(part[1], 3)
	arg[n] = part[2]
	next
}

FILENAME == ARGV[2] {
	columns++
	column[columns] = $1
	unit[columns] = substr($0, 14, 8)
	sub(/ +$/, "", unit[columns])
	column_help[columns] = substr($0, 23)
	column_names = column_names (columns > 1 ? " " : "") $1
	next
}

FILENAME == ARGV[3] {
	keys++
	tab = index($0, "\t")
	key[keys] = substr($0, 1, tab ? tab - 1 : 0)
	key_help[keys] = substr($0, tab + 1)
	next
}

# The possible values of option i, as words; or "file", "user", "pid".
function values(i, text)
{
	if (arg[i] == "COLUMN")
		return column_names
	if (arg[i] ~ /^(FILE|USER)$/)
		return tolower(arg[i])
	if (arg[i] ~ /^PID/)
		return "pid"
	if (arg[i] !~ /^(NAME|BY)$/)
		return ""
	text = help[i]
	sub(/^one row per /, "", text)
	gsub(/,| or /, " ", text)
	gsub(/  +/, " ", text)
	return text
}

# roff interprets a backslash, and a dot or a quote at the start of a line.
function roff(text)
{
	gsub(/\\/, "\\e", text)
	gsub(/-/, "\\-", text)
	return text ~ /^[.']/ ? "\\&" text : text
}

function man_options(i)
{
	print ".Bl -tag -width Ds"
	for (i = 1; i <= n; i++) {
		printf ".It "
		if (letter[i])
			printf "Fl %s%s , ", letter[i], arg[i] ? " Ar " roff(arg[i]) : ""
		print "Fl \\-" roff(name[i]) (arg[i] ? " Ar " roff(arg[i]) : "")
		print roff(help[i])
	}
	print ".El"
}

# A word of two or three letters in the arguments of a macro could be one itself, such as "So".
function no_macros(text, i, words, word)
{
	words = split(text, word, " ")
	text = ""
	for (i = 1; i <= words; i++)
		text = text (i > 1 ? " " : "") (word[i] ~ /^[A-Z][a-z][a-z]?$/ ? "\\&" : "") word[i]
	return text
}

function man_columns(i)
{
	print ".Bl -column \"connect_errors\" \"bytes/s\" \"what it is\""
	for (i = 1; i <= columns; i++)
		print ".It " roff(column[i]) " Ta " roff(unit[i]) " Ta " no_macros(roff(column_help[i]))
	print ".El"
}

# A lone punctuation mark would be a delimiter to mdoc.
function man_keys(i, k, n_keys, word)
{
	print ".Bl -tag -width \"Shift-Tab F10\""
	for (i = 1; i <= keys; i++) {
		n_keys = split(key[i], word, " ")
		if (!n_keys)
			continue
		printf ".It"
		for (k = 1; k <= n_keys; k++)
			printf " \\&%s", roff(word[k])
		print "\n" roff(key_help[i])
	}
	print ".El"
}

FILENAME == ARGV[4] && form == "man" {
	if ($0 == "@options@")
		man_options()
	else if ($0 == "@columns@")
		man_columns()
	else if ($0 == "@keys@")
		man_keys()
	else
		print
}

function bash(i, all, words)
{
	print "_lagtop() {\n\tlocal word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}"
	print "\tCOMPREPLY=()\n\tcase $previous in"
	for (i = 1; i <= n; i++) {
		all = all " --" name[i] (letter[i] ? " -" letter[i] : "")
		if (!arg[i])
			continue
		words = values(i)
		printf "\t--%s%s) ", name[i], letter[i] ? " | -" letter[i] : ""
		if (words == "file")
			print "mapfile -t COMPREPLY < <(compgen -f -- \"$word\"); compopt -o filenames ;;"
		else if (words == "user")
			print "mapfile -t COMPREPLY < <(compgen -u -- \"$word\") ;;"
		else if (words == "pid")
			print "mapfile -t COMPREPLY < <(compgen -W \"$(cd /proc && echo [0-9]*)\" -- \"$word\") ;;"
		else
			print "mapfile -t COMPREPLY < <(compgen -W '" words "' -- \"$word\") ;;"
	}
	print "\t*) mapfile -t COMPREPLY < <(compgen -W '" substr(all, 2) " why' -- \"$word\") ;;\n\tesac\n}"
	print "complete -F _lagtop lagtop"
}

function quoted(text)
{
	gsub(/'/, "'\\''", text)
	return "'" text "'"
}

function zsh(i, text, action)
{
	print "#compdef lagtop\n_arguments -s \\"
	for (i = 1; i <= n; i++) {
		text = help[i]
		gsub(/[\[\]:]/, "\\\\&", text)
		action = values(i)
		if (action == "file")
			action = "_files"
		else if (action == "user")
			action = "_users"
		else if (action == "pid")
			action = "_pids"
		else if (action)
			action = "(" action ")"
		action = arg[i] ? ":" tolower(arg[i]) ":" action : ""
		gsub(/\[|\]/, "", action)
		if (letter[i])
			print "\t" quoted("-" letter[i] "[" text "]" action) " \\"
		print "\t" quoted("--" name[i] "[" text "]" action) " \\"
	}
	print "\t'1::command:(why)'"
}

function fish(i, words)
{
	for (i = 1; i <= n; i++) {
		printf "complete -c lagtop -l %s%s -d %s", name[i], letter[i] ? " -s " letter[i] : "", quoted(help[i])
		words = values(i)
		if (words == "file")
			printf " -r -F"
		else if (words == "user")
			printf " -x -a '(__fish_complete_users)'"
		else if (words == "pid")
			printf " -x -a '(__fish_complete_pids)'"
		else if (arg[i])
			printf " -x%s", words ? " -a '" words "'" : ""
		else
			printf " -f"
		printf "\n"
	}
	print "complete -c lagtop -n __fish_is_first_arg -f -a why -d 'what lags and why, in sentences'"
}

END {
	if (!n || !columns || !keys) {
		print "docs.awk: no options, columns or keys" > "/dev/stderr"
		exit 1
	}
	if (form == "bash")
		bash()
	else if (form == "zsh")
		zsh()
	else if (form == "fish")
		fish()
}
