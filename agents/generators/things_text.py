"""The words of domains: people and the things they make. :mod:`.domains` says how to read them."""
# ruff: noqa: E501  (one line a column, however long)

THINGS = """
employee|employees|person|name employee full_name
c department team dept|department,team|Sales/Finance/Legal/Marketing/Support/Research/Logistics|@ in {v}~@ of the {v} team~@ who work(s) in {v}~{v} @~@ from {v}
n salary pay wage|salary,pay,wage|well paid/badly paid|18000,190000
n age years|age|old/young|19,67
n hired start_year|year of hiring,start year|-/-|1985,2024
c office city location|office,city|@place|@ in {v}~@ who are(is) based in {v}~@ based in {v}
l skills knows|skills|Python/accounting/design/negotiation/welding/statistics/translation|@ who know(s) {v}~@ with {v} skills~@ skilled in {v}
r reports to|boss,manager,supervisor|report(s) to {v},work(s) for {v}|self|1
r worked on|projects|worked on {v}|@thing|3

product|products|thing|name product item title
c category kind type|category,kind|toys/furniture/kitchen/garden/books/electronics/sports|@ in {v}~{v} @~@ of the category {v}~@ from the {v} category
n price cost price_eur|price,cost|expensive,costly/cheap,affordable|1,3000
n stock quantity in_stock|stock,quantity|-/-|0,900
n weight_kg weight|weight|heavy/light|1,90
c maker brand supplier|maker,brand,supplier|@thing|@ by {v}~@ made by {v}~{v} @~@ from {v}
l colours colors|colours,colors|red/blue/green/black/white/yellow/grey|@ available in {v}~@ in {v}~@ that come(s) in {v}
n rating stars|rating|popular/unpopular|1,5
r part of|parts|are(is) part of {v}|self|1
r sold in|shops|are(is) sold in {v}|@place|3

film|films|thing|title name film
c director directed_by|director|@person|@ by {v}~@ directed by {v}~@ of {v}~@ that {v} directed
n year released release_year|year,release year,year of release|recent,new/old|1920,2024
c genre kind|genre|drama/comedy/thriller/western/horror/musical/documentary/animation|{v} @~@ in the genre {v}~@ that are(is) a {v}
n minutes length_min runtime|length,running time,runtime,minutes|long/short|60,240
n rating score|rating,score|good,popular/bad|1,10
n budget_million budget|budget|expensive/cheap|1,300
l actors starring|actors,cast|@person|@ with {v}~@ starring {v}~@ that {v} plays in
r sequel of|sequels|are(is) a sequel of {v},follow(s) {v}|self|1
r stars|actors,stars,cast|star(s) {v},feature(s) {v}|@person|4
r directed by|director|were(was) directed by {v}|@person|1

book|books|thing|title name book
c author writer written_by|author,writer|@person|@ by {v}~@ written by {v}~@ of {v}~@ that {v} wrote
n pages page_count|pages,number of pages|long,thick/short,thin|60,1400
n published year|year of publication,year|recent,new/old|1800,2024
c language|language|English/French/Spanish/German/Japanese/Italian/Russian|@ in {v}~{v} @~@ written in {v}
c genre subject|genre,subject|poetry/crime/history/science/travel/romance/fantasy|{v} @~@ about {v}~@ on {v}
n price|price|expensive/cheap|3,90
r inspired by|inspirations|were(was) inspired by {v}|self|2
r published by|publisher|were(was) published by {v}|@thing|1

song|songs|thing|title song name
c artist singer band|artist,singer|@person|@ by {v}~@ of {v}~{v} @~@ sung by {v}
n seconds length_s|length,duration|long/short|90,700
n plays streams|plays,streams,number of plays|popular/unpopular|100,90000000
n year released|year,release year|recent,new/old|1950,2024
c genre style|genre,style|rock/jazz/folk/pop/soul/techno|{v} @
r covers|covered songs,original|cover(s) {v}|self|1
r written by|writers,songwriters|were(was) written by {v}|@person|3

recipe|recipes|thing|name recipe dish
n minutes cooking_minutes|cooking time,minutes|slow,long/quick,fast|5,240
n calories kcal|calories|rich,filling/light|80,1400
c cuisine origin|cuisine|Italian/Indian/Mexican/Thai/French/Turkish/Polish|{v} @~@ from the {v} kitchen
l ingredients|ingredients|garlic/rice/tomato/cream/lentils/chicken/lemon/ginger|@ with {v}~@ that need(s) {v}~@ containing {v}~@ made with {v}
n servings portions|servings,portions|-/-|1,12
c diet|diet|vegan/vegetarian/gluten-free|{v} @
r invented by|inventor|were(was) invented by {v}|@person|1
r goes with|side dishes|go(es) with {v}|sym|3

player|players|person|name player
c team club|team,club|@thing|@ of {v}~@ in {v}~@ who play(s) for {v}~{v} @
n goals points|goals,number of goals|-/-|0,60
n age|age|old/young|17,41
c position role|position|goalkeeper/defender/midfielder/striker|@ who are(is) a {v}
c nationality country|country,nationality|@country|@ from {v}
n height_cm height|height|tall/short|160,210
r taught by|trainers|were(was) taught by {v}|@person|2
r played with|team mates|played with {v}|sym|3

ship|ships|thing|name ship vessel
n length_m length|length|long/short|12,400
n tonnage tons|tonnage|heavy/light|50,220000
n built year_built|year of construction,year|new,modern/old|1890,2023
c port home_port|home port,port|@place|@ from {v}~@ of {v}~@ based in {v}
c type kind|type|ferry/tanker/trawler/cruiser/container ship|@ of the type {v}~@ that are(is) a {v}
n crew crew_size|crew,crew size|-/-|2,2500
r commanded by|captain,commander|are(is) commanded by {v}|@person|1
r calls at|stops,ports on its route|call(s) at {v},stop(s) at {v}|@place|4

train|trains|thing|name train line
n speed_kmh top_speed|speed,top speed|fast/slow|60,350
c from_city start|start,departure city|@place|@ from {v}~@ that leave(s) {v}
c to_city destination|destination|@place|@ to {v}~@ that go(es) to {v}
n minutes duration|duration,journey time|long/short|10,900
n seats|seats,number of seats|large/small|60,1200
r stops at|stops,stations|stop(s) at {v},serve(s) {v}|@place|4
r connects to|connections|connect(s) to {v}|sym|2

flight|flights|thing|code flight name
c airline carrier|airline|@thing|@ of {v}~@ with {v}~{v} @
c origin departs_from|origin|@place|@ from {v}~@ that leave(s) from {v}
c destination arrives_at|destination|@place|@ to {v}~@ that land(s) in {v}
n price fare|price,fare|expensive/cheap|30,2400
n duration_min minutes|duration,flight time|long/short|35,1000
r flown by|pilots,pilot|are(is) flown by {v}|@person|2
r replaces|replaced flights|replace(s) {v}|self|1

car|cars|thing|name model car
n horsepower power|power,horsepower|powerful,strong/weak|40,900
n price|price|expensive/cheap|3000,300000
n year built|year|new,recent/old|1960,2024
c fuel engine|fuel|petrol/diesel/electric/hybrid/hydrogen|{v} @~@ that run(s) on {v}~@ with {v} engines
c maker brand|maker,brand|@thing|@ by {v}~@ made by {v}~{v} @
n range_km range|range|-/-|90,1400
r based on|models before it|are(is) based on {v}|self|1
r designed by|designers,designer|were(was) designed by {v}|@person|2

company|companies|thing|name company firm
c sector industry|sector,industry|banking/mining/software/food/energy/fashion/transport|@ in {v}~{v} @~@ in the {v} sector
n revenue_million revenue turnover|revenue,turnover|successful/small|1,90000
n employees staff workers|employees,number of employees,staff|large,big/small|4,300000
n founded|founding year|young,new/old,ancient|1800,2022
c headquarters hq seat|headquarters,seat|@place|@ from {v}~@ with headquarters in {v}~@ based in {v}
l products makes|products|paint/glass/engines/phones/shoes/paper/steel|@ that make(s) {v}~@ selling {v}
r owns|subsidiaries|own(s) {v},control(s) {v}|self|3
r led by|chief executive,boss,leader|are(is) led by {v}|@person|1

painting|paintings|thing|title painting name
c painter artist|painter,artist|@person|@ by {v}~@ of {v}~@ that {v} painted
n year painted|year|recent,new/old|1400,1990
n width_cm width|width|wide/narrow|10,500
n price_million value|price,value|expensive,valuable/cheap|1,300
c style|style|baroque/cubism/realism/romantic/gothic|{v} @~@ in the {v} style
r shows|people in it,motifs|show(s) {v}|@person|2
r hangs in|museum,place where it hangs|hang(s) in {v}|@place|1

battle|battles|thing|name battle
n year|year|recent/old|900,1950
n soldiers troops|soldiers,number of soldiers|large,big/small|400,900000
c winner|winner|@country|@ won by {v}~@ that {v} won
c war|war|@thing|@ of the {v} war~@ in the {v} war
n days duration_days|duration,days|long/short|1,200
r fought by|commanders,leaders|were(was) fought by {v}|@person|3
r followed by|next battles,battles after it|were(was) followed by {v}|self|1

dog|dogs|person|name dog
c breed|breed|poodle/beagle/collie/boxer/terrier/husky|@ of the breed {v}~@ that are(is) a {v}
n age age_years|age|old/young|1,16
n weight_kg weight|weight|heavy,fat/light|2,80
c owner keeper|owner|@person|@ of {v}~@ that belong(s) to {v}~@ owned by {v}
c vaccinated|vaccinated|yes/no|vaccinated @
r plays with|friends,playmates|play(s) with {v}|sym|3
r parent of|puppies,children|are(is) a parent of {v}|self|3

order|orders|thing|name order_name reference
c customer client|customer,client|@person|@ by {v}~@ from {v}~@ of {v}~@ placed by {v}
n amount total value|amount,value|large,big/small|2,9000
c status state|status|open/shipped/cancelled/paid/late|{v} @~@ that are(is) {v}
n items pieces|items,number of items|-/-|1,60
c city ship_to|city|@place|@ to {v}~@ shipped to {v}
r contains|products,goods|contain(s) {v},include(s) {v}|@thing|4
r handled by|clerk,handler|were(was) handled by {v}|@person|1

student|students|person|name student
c course subject major|course,subject|biology/law/physics/history/music/medicine/geography|@ of {v}~{v} @~@ who study(studies) {v}
n grade mark score|grade,mark|good/bad|1,100
n age|age|old/young|16,35
c home town|home town,town|@place|@ from {v}~@ who come(s) from {v}
l clubs|clubs|chess/rowing/drama/choir/debate/robotics|@ in the {v} club~@ who do(es) {v}
r lives with|flatmates,room mates|live(s) with {v}|sym|3
r tutored by|tutors,tutor|are(is) tutored by {v}|@person|2

game|games|thing|title game name
c publisher studio|publisher,studio|@thing|@ by {v}~@ from {v}~{v} @
n players max_players|players,number of players|-/-|1,12
n minutes playing_minutes|playing time,minutes|long/short|10,300
n rating|rating|good,popular/bad|1,10
n year|year|new,recent/old|1970,2024
l mechanics tags|tags|cards/dice/bluffing/puzzle/trading/racing|@ with {v}~{v} @
r designed by|designers,designer|were(was) designed by {v}|@person|2
r expands|base game|expand(s) {v},extend(s) {v}|self|1

wine|wines|thing|name wine
c region|region|@place|@ from {v}~{v} @
n year vintage|vintage,year|young,new/old|1950,2023
n price|price|expensive/cheap|4,400
c colour color|colour,color|red/white/rosé|{v} @
c grape|grape|Merlot/Riesling/Syrah/Malbec/Pinot|{v} @~@ made of {v}
n points score|points,score|good/bad|60,100
r goes with|dishes|go(es) with {v}|cheese/fish/beef/pasta/lamb/mushrooms/dessert|3
r made by|winemaker,maker|were(was) made by {v}|@person|1

phone|phones|thing|name model phone
c brand maker|brand,maker|@thing|@ by {v}~{v} @~@ from {v}
n price price_usd|price|expensive/cheap|60,1900
n storage_gb storage|storage,memory|-/-|16,1024
n battery_mah battery|battery,battery capacity|-/-|1500,7000
n screen_inches screen|screen size|large,big/small|4,8
c system os|system|Android/Linux/Symbian|{v} @~@ that run(s) {v}
r replaces|predecessor|replace(s) {v},succeed(s) {v}|self|1
r sold by|shops,sellers|are(is) sold by {v}|@thing|3

gene|genes|thing|name symbol gene
n length_kb length|length|long/short|1,2400
c chromosome|chromosome|X/Y/12/17/3|@ on chromosome {v}
n discovered year|year of discovery|-/-|1960,2022
l tissues expressed_in|tissues|liver/brain/heart/skin/lung/kidney|@ active in the {v}~@ expressed in {v}
r interacts with|partners|interact(s) with {v},bind(s) {v}|sym|4
r linked to|diseases|are(is) linked to {v},cause(s) {v}|@thing|2

course|courses|thing|title course name
c teacher lecturer|teacher,lecturer|@person|@ by {v}~@ taught by {v}~@ of {v}~@ that {v} teaches
n credits points|credits,number of credits|-/-|1,15
n places seats|places,number of places|large,big/small|8,400
c day weekday|day,weekday|Monday/Tuesday/Wednesday/Thursday/Friday|@ on {v}~{v} @
c language|language|English/French/Spanish/German|@ in {v}~{v} @
r requires|prerequisites,required courses|require(s) {v}|self|3
r held in|room|are(is) held in {v}|@place|1
"""
