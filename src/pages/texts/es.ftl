# Español: los textos que faltan aparecen en inglés.

skip = Saltar al contenido
nav = Páginas
languages = Idiomas
search = Buscar
nav-cities = Ciudades
nav-pilots = Pilotos
nav-partnerships = Alianzas
all = todos
yes = sí
no = no
not-stated = no consta
city = Ciudad
country = País
population = Población
timezone = Zona horaria
website = Sitio web
figure-cities = { $count ->
    [one] ciudad
   *[other] ciudades
}
count-cities = { $count ->
    [one] { $shown } ciudad
   *[other] { $shown } ciudades
}
count-pilots = { $count ->
    [one] { $shown } piloto
   *[other] { $shown } pilotos
}
chart-baseline = valor de partida
chart-target = meta
