# Writes OUT: the texts of FILES as rows of seawall::lua::shims().
set(rows "")
foreach(file ${FILES})
  get_filename_component(name ${file} NAME_WE)
  file(READ ${file} text)
  # A literal may not be longer than 64 KiB everywhere; adjacent ones are one.
  string(APPEND rows "    {\"${name}\", R\"=====(${text})=====\"},\n")
endforeach()
file(WRITE ${OUT} "#include \"shims.h\"\n\nnamespace seawall::lua {\nnamespace {\n\nconst Shim rows[] = {\n${rows}};\n\n}  // namespace\n\nstd::span<const Shim> shims() { return rows; }\n\n}  // namespace seawall::lua\n")
