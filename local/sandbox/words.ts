/** What the invented persons are made of. */

export const FIRST_NAMES = list(
  "Aino, Anders, Anna, Björn, Carla, Chidi, Clara, Daniel, Eerika, Elena, Emil, Eva, Felix, Fatima, Grete, Hannah",
  "Hiroshi, Ida, Igor, Ingrid, Ivan, Jaan, Jakub, Joana, José, Kadri, Karl, Katrin, Kristjan, Lars, Laura, Leila",
  "Liis, Luca, Lucía, Maarja, Magnus, Maria, Marta, Mateusz, Mehmet, Mihkel, Nadia, Nils, Noor, Oliver, Olga, Paul",
  "Pille, Priit, Rasmus, Renée, Riina, Saara, Sander, Sergei, Siim, Sofía, Søren, Tanel, Teresa, Thomas, Tiina",
  "Toomas, Ulrike, Urmas, Vera, Viktor, Yusuf, Zofia",
);

export const LAST_NAMES = list(
  "Adeyemi, Allik, Andersson, Bauer, Becker, Berg, Costa, Dubois, Eriksson, Fernández, Fischer, Gonçalves, Groß",
  "Hansen, Hoffmann, Ilves, Ivanov, Jansen, Jensen, Kallas, Kask, Kaya, Keller, Kivi, Korhonen, Kowalski, Kukk",
  "Kuusk, Laine, Larsen, Lepik, Lõhmus, Martin, Mägi, Meyer, Moreau, Müller, Nguyen, Nielsen, Novák, Nowak, Oja",
  "Okafor, Olsen, Ots, Paju, Pärn, Pereira, Petrov, Põder, Raud, Rebane, Rossi, Saar, Sato, Schäfer, Sepp, Silva",
  "Sørensen, Tamm, Teder, Toom, Uibo, Vaher, Virtanen, Wagner, Zieliński",
);

export const ORGANIZATIONS = list(
  "Aurora Bakery, Blue Fjord Shipping, Brightside Dental, Copper & Oak, Delta Freight, Evergreen Garden Centre",
  "Foxglove Studio, Granite Construction Works, Highland Wool Mill, Island Ferries, Juniper Hotels, Kestrel Optics",
  "Lakeside Clinic, Maple Street Books, North Pier Fisheries, Old Town Breweries, Pinecone Furniture, Quarry Stone",
  "Riverbend Solar, Saltmarsh Foods, Tidewater Marine, Upland Dairy, Velvet Theatre, Windmill Paper",
);

export const CITIES = list(
  "Tallinn, Tartu, Riga, Vilnius, Helsinki, Stockholm, Oslo, København, Hamburg, Berlin, Lisboa, Porto, Gdańsk",
);

export const STREETS = list(
  "Harbour Street, Mill Lane, Station Road, Pikk tänav, Hauptstraße, Rua do Sol, Market Square",
);

export const INTERESTS = list(
  "Newsletter: yes, Customer since 2019, Segment: wholesale, Segment: retail, Prefers phone calls, VIP",
);

export const NOTES = [
  "Met at the spring fair, asked for a price list",
  "Call back after the holidays",
  "Wants the contract in German",
  "Referred by a colleague in Tartu",
  "Budget is decided in November",
];

function list(...lines: string[]): string[] {
  return lines.join(", ").split(", ");
}
